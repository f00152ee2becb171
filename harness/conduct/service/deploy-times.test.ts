import { describe, expect, it } from 'vitest';
import { deployDraws, loadBoundMs } from './deploy-times.ts';

const times = { durationMs: 1_000, leadMs: 1_000, whileTimeoutMs: 60_000, settleMs: 3_000, settleTimeoutMs: 10_000 };
const load = { ratePerSecond: 100, timeoutMs: 30_000 };

describe('the deploys of a series', () => {
  it('are drawn from the seed, half to one and a half of the spacing apart', () => {
    const draws = deployDraws({ restarts: 200, everyMs: 4_000 }, 7);
    expect(deployDraws({ restarts: 200, everyMs: 4_000 }, 7)).toEqual(draws);
    expect(deployDraws({ restarts: 200, everyMs: 4_000 }, 8)).not.toEqual(draws);
    const spacings = draws.map(({ afterBeginMs }) => afterBeginMs);
    expect(Math.min(...spacings)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...spacings)).toBeLessThanOrEqual(6_000);
    // Of 200 even draws over 4 s the mean is within four of its standard errors, 4000 / √12 / √200 = 82 ms.
    expect(Math.abs(spacings.reduce((sum, ms) => sum + ms, 0) / 200 - 4_000)).toBeLessThan(4 * 82);
  });

  it('do not all begin at one moment after the service is steady, even when each takes longer than the spacing', () => {
    const waits = deployDraws({ restarts: 200 }, 7).map(({ afterSteadyMs }) => afterSteadyMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
    expect(new Set(waits.map((ms) => Math.floor(ms / 100))).size).toBeGreaterThanOrEqual(10);
    // A spacing below that is not made longer by it.
    expect(Math.max(...deployDraws({ restarts: 200, everyMs: 100 }, 7).map((one) => one.afterSteadyMs))).toBeLessThan(
      101,
    );
  });

  it('begin when they may where there is only one', () => {
    expect(deployDraws({}, 7)).toEqual([{ afterBeginMs: 0, afterSteadyMs: 0 }]);
  });
});

describe('the load', () => {
  it('lasts at most as long as its deploys may take', () => {
    // Duration, lead, deadline, one command and one wait for the service, a minute to spare.
    expect(loadBoundMs(load, times)).toBe(1_000 + 1_000 + 30_000 + 70_000 + 60_000);
    // Each further one: at most 1.5 × 4 s and a second of chance, the service steady before it, and its own course.
    const further = 6_000 + 1_000 + 10_000 + 70_000;
    expect(loadBoundMs({ ...load, restarts: 3, everyMs: 4_000 }, times)).toBe(162_000 + 2 * further);
  });

  it('lasts no longer than a day, and has no more slots than a run may have', () => {
    expect(loadBoundMs({ ...load, restarts: 4_000 }, times)).toBe(24 * 3_600_000);
    const at = 100_000;
    const slots = (loadBoundMs({ ...load, restarts: 4_000, ratePerSecond: at }, times) / 1000) * at;
    expect(slots).toBeLessThan(2 ** 31);
  });
});
