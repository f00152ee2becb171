import { describe, expect, it } from 'vitest';
import type { LoadCounts } from '../../in-lab/load/plan.ts';
import { Steadiness } from './steadiness.ts';

const counts = (due: number, ok: number, dropped = 0): LoadCounts => ({
  due,
  sent: due,
  settled: ok + dropped,
  ok,
  dropped,
  unsent: 0,
  local: 0,
  lateDueUs: [],
});

/** Counts each quarter of a second at 100 a second: what `at` says became of the slots. */
function watched(seconds: number, at: (second: number) => LoadCounts): Steadiness {
  const steadiness = new Steadiness(3_000);
  for (let quarter = 0; quarter <= seconds * 4; quarter++) steadiness.add(quarter * 250_000, at(quarter / 4));
  return steadiness;
}

describe('a service is steady', () => {
  it('once a whole period has passed in which all was answered', () => {
    const well = (second: number): LoadCounts => counts(second * 100, Math.max(0, second * 100 - 2));
    expect(watched(2.75, well).steadyFromUs(0)).toBeNull();
    expect(watched(3, well).steadyFromUs(0)).toBe(0);
  });

  it('only since the moment that is asked about, from the first count after it on', () => {
    const well = (second: number): LoadCounts => counts(second * 100, second * 100);
    expect(watched(5, well).steadyFromUs(2_100_000)).toBeNull();
    expect(watched(6, well).steadyFromUs(2_100_000)).toBe(2_250_000);
  });

  it('not while a single request failed within the period', () => {
    const failing = (second: number): LoadCounts => counts(second * 100, second * 100, second >= 4 ? 1 : 0);
    expect(watched(6.5, failing).steadyFromUs(0)).toBeNull();
    expect(watched(7, failing).steadyFromUs(0)).toBe(4_000_000);
  });

  it('not while answers do not come, though nothing has failed yet', () => {
    const hanging = (second: number): LoadCounts => counts(second * 100, Math.min(second, 2) * 100);
    expect(watched(20, hanging).steadyFromUs(0)).toBeNull();
  });

  it('not before anything was counted', () => {
    expect(new Steadiness(1_000).steadyFromUs(0)).toBeNull();
  });
});
