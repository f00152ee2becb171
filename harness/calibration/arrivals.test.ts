import { expect, it } from 'vitest';
import { summarizeArrivals } from './arrivals.ts';

it('counts lag from the slot that was met best, wherever it lies', () => {
  // 1000 a second; every request 0.3 ms after its slot, one on time, one 5 ms late.
  const arrivals = Array.from({ length: 1_000 }, (_, index) => index * 1_000 + 300);
  arrivals[500] = 500_000;
  arrivals[999] = 999_000 + 5_000;
  const { arrived, lagP50Ms, lagP99Ms, lagMaxMs } = summarizeArrivals(arrivals, 1_000);
  expect({ arrived, lagP50Ms, lagP99Ms, lagMaxMs }).toEqual({
    arrived: 1_000,
    lagP50Ms: 0.3,
    lagP99Ms: 0.3,
    lagMaxMs: 5,
  });
});

it('finds the burst that an even schedule is not', () => {
  // 100 a second, all of each second at its beginning.
  const arrivals = Array.from({ length: 300 }, (_, index) => Math.floor(index / 100) * 1e6 + (index % 100));
  const { lagP50Ms, achievedRate } = summarizeArrivals(arrivals, 100);
  expect(lagP50Ms).toBeGreaterThan(450);
  expect(achievedRate).toBeGreaterThan(140);
});
