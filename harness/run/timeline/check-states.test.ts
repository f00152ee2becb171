import { describe, expect, it } from 'vitest';
import { CheckStates } from './check-states.ts';
import type { ProxyLogLine } from '../files/proxy-log.ts';

const check = (line: number, atWallUs: number, server: string, up: boolean): ProxyLogLine => ({
  line,
  atWallUs,
  kind: 'check',
  service: 'demo@file',
  server,
  up,
});

function states(...lines: ProxyLogLine[]): CheckStates {
  const checks = new CheckStates();
  for (const line of lines) checks.addLogLine(line);
  return checks;
}

const [blue, green] = ['http://127.0.0.1:18080', 'http://127.0.0.1:18180'];

describe('what the proxy’s check held', () => {
  it('changes only where it says something new; until then each backend counts as up', () => {
    const all = states(
      check(1, 10, blue, true),
      check(2, 20, blue, false),
      check(3, 30, blue, false),
      check(4, 40, blue, true),
    ).all();
    expect(all).toEqual([
      { atWallUs: 20, service: `demo@file ${blue}`, up: false, line: 2 },
      { atWallUs: 40, service: `demo@file ${blue}`, up: true, line: 4 },
    ]);
  });

  it('is that of servers: what a balancer says of its members, and all other lines, count for nothing', () => {
    expect(states(check(1, 10, 'demo-blue@file', false), { line: 2, atWallUs: 11, kind: 'another-try' }).all()).toEqual(
      [],
    );
  });

  it('had no backend from the line at which it went down until it came up, or to the end of the log', () => {
    expect(states(check(5, 1_000, blue, false), check(9, 2_000, blue, true)).downTimes()).toEqual([
      { fromUs: 1_000, untilUs: 2_000, line: 5 },
    ]);
    expect(states(check(5, 1_000, blue, false)).downTimes()).toEqual([{ fromUs: 1_000, untilUs: Infinity, line: 5 }]);
    expect(states().downTimes()).toEqual([]);
  });

  it('of two backends is down only while both are, by the line of the last to go', () => {
    const checks = states(
      check(1, 100_000, blue, false),
      check(2, 200_000, green, false),
      check(3, 300_000, blue, true),
      check(4, 400_000, blue, false),
    );
    // A tick of 10 ms longer: the proxy may log two changes in the other order.
    expect(checks.downTimes()).toEqual([
      { fromUs: 200_000, untilUs: 310_000, line: 2 },
      { fromUs: 400_000, untilUs: Infinity, line: 4 },
    ]);
  });

  it.each<[number, number, number | null]>([
    [900_000, 901_000, 911_000],
    [901_000, 900_000, 910_000],
    [910_000, 900_000, 910_000],
    [910_001, 900_000, null],
  ])(
    'of two backends that swap at one tick was down then, whichever line came first: %i, %i',
    (downUs, upUs, until) => {
      const swapped = [check(2, downUs, blue, false), check(3, upUs, green, true)].sort(
        (a, b) => a.atWallUs - b.atWallUs,
      );
      expect(states(check(1, 1_000, green, false), ...swapped).downTimes()).toEqual(
        until === null ? [] : [{ fromUs: downUs, untilUs: until, line: 2 }],
      );
    },
  );

  it('keeps two services of one address apart', () => {
    const other: ProxyLogLine = { line: 2, atWallUs: 20, kind: 'check', service: 'other@file', server: blue, up: true };
    const checks = states(check(1, 10, blue, false), other, { ...other, line: 3, atWallUs: 30, up: false });
    expect(checks.downTimes()).toEqual([{ fromUs: 30, untilUs: Infinity, line: 3 }]);
  });
});
