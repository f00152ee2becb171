import { describe, expect, it } from 'vitest';
import { CheckStates } from './check-states.ts';
import type { ProxyLogLine } from './proxy-log.ts';

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

  it('names the line from which no backend was up, at any moment of a span', () => {
    const checks = states(check(5, 1_000, blue, false), check(9, 2_000, blue, true));
    expect(checks.downLine(0, 999)).toBeNull();
    expect(checks.downLine(0, 1_000)).toBe(5);
    expect(checks.downLine(1_400, 1_500)).toBe(5);
    expect(checks.downLine(2_000, 3_000)).toBe(5);
    expect(checks.downLine(2_001, 3_000)).toBeNull();
  });

  it('goes on to the end of the log, where nothing came up again', () => {
    expect(states(check(5, 1_000, blue, false)).downLine(9e15, 9e15)).toBe(5);
  });

  it('of two backends is down only while both are, by the line of the last to go', () => {
    const checks = states(
      check(1, 1_000, blue, false),
      check(2, 2_000, green, false),
      check(3, 3_000, blue, true),
      check(4, 4_000, blue, false),
    );
    expect(checks.downLine(1_000, 1_999)).toBeNull();
    expect(checks.downLine(2_500, 2_500)).toBe(2);
    expect(checks.downLine(3_001, 3_999)).toBeNull();
    expect(checks.downLine(4_000, 4_000)).toBe(4);
  });

  it('of two backends that swap at once is down around that moment, whichever line came first', () => {
    const swap = (...order: [boolean, boolean]) =>
      states(
        check(1, 1_000, green, false),
        ...order.map((isUp, index) => check(2 + index, 9_000 + index, isUp ? green : blue, isUp)),
      );
    expect(swap(false, true).downLine(8_000, 10_000)).toBe(2);
    expect(swap(true, false).downLine(8_000, 10_000)).toBe(3);
    for (const checks of [swap(false, true), swap(true, false)]) {
      expect(checks.downLine(8_000, 8_999)).toBeNull();
      expect(checks.downLine(9_002, 10_000)).toBeNull();
    }
  });

  it('keeps two services of one address apart', () => {
    const other: ProxyLogLine = { line: 2, atWallUs: 20, kind: 'check', service: 'other@file', server: blue, up: true };
    const checks = states(check(1, 10, blue, false), other, { ...other, line: 3, atWallUs: 30, up: false });
    expect(checks.downLine(10, 29)).toBeNull();
    expect(checks.downLine(30, 30)).toBe(3);
  });

  it('knows of nothing where the log has no check', () => {
    expect(states().downLine(0, 1e9)).toBeNull();
  });
});
