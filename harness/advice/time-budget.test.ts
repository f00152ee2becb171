import { expect, it } from 'vitest';
import { TimeBudget } from './time-budget.ts';

it('fits what ends before the limit, at the pace of the runs so far', () => {
  let nowMs = 5_000;
  const budget = new TimeBudget(100_000, () => nowMs);
  expect(budget.fits(100_000)).toBe(true);
  expect(budget.fits(100_001)).toBe(false);
  nowMs += 40_000;
  // They take twice as long as planned.
  budget.ended(40_000, 20_000);
  expect(budget.fits(30_000)).toBe(true);
  expect(budget.fits(30_001)).toBe(false);
  expect(budget.leftMs()).toBe(60_000);
  nowMs += 70_000;
  expect(budget.leftMs()).toBe(0);
  expect(budget.fits(0)).toBe(false);
});

it('does not take runs that end early for a reason to hope', () => {
  const budget = new TimeBudget(10_000, () => 0);
  budget.ended(1_000, 2_000);
  expect(budget.inTruth(3_000)).toBe(3_000);
});
