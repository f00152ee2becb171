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
      check(1, 100_000, blue, false),
      check(2, 200_000, green, false),
      check(3, 300_000, blue, true),
      check(4, 400_000, blue, false),
    );
    expect(checks.downLine(100_000, 199_999)).toBeNull();
    expect(checks.downLine(250_000, 250_000)).toBe(2);
    expect(checks.downLine(310_001, 399_999)).toBeNull();
    expect(checks.downLine(400_000, 400_000)).toBe(4);
  });

  it('of two backends that swap at one tick was down at that moment, whichever line came first', () => {
    const swap = (downUs: number, upUs: number) =>
      states(
        check(1, 1_000, green, false),
        ...[check(2, downUs, blue, false), check(3, upUs, green, true)].sort((a, b) => a.atWallUs - b.atWallUs),
      );
    expect(swap(900_000, 901_000).downLine(0, 2e6)).toBe(2);
    expect(swap(901_000, 900_000).downLine(0, 2e6)).toBe(2);
    // Nearer than that they were not, and a span that holds both moments does not make one of them.
    expect(swap(910_000, 900_000).downLine(0, 2e6)).toBe(2);
    expect(swap(910_001, 900_000).downLine(0, 2e6)).toBeNull();
    expect(swap(901_000, 900_000).downLine(0, 900_999)).toBeNull();
    expect(swap(901_000, 900_000).downLine(910_001, 2e6)).toBeNull();
  });

  it('names the line at which some backend was found down during a span, give or take one tick, whoever is up', () => {
    const checks = states(
      check(6, 0, green, false),
      check(7, 20_000, green, true),
      check(8, 60_000, blue, false),
      check(9, 90_000, blue, true),
    );
    expect(checks.turnedDownLine(60_000, 60_000)).toBe(8);
    expect([checks.turnedDownLine(30_000, 49_999), checks.turnedDownLine(30_000, 50_000)]).toEqual([null, 8]);
    expect([checks.turnedDownLine(70_000, 80_000), checks.turnedDownLine(70_001, 80_000)]).toEqual([8, null]);
    expect(checks.downLine(60_000, 60_000)).toBeNull();
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
