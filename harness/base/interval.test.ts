import { describe, expect, it } from 'vitest';
import { exactInterval } from './interval.ts';

describe('exact interval', () => {
  it('bounds a zero on one side: 1 − 0.05^(1/n)', () => {
    expect(exactInterval(0, 8)?.[1]).toBeCloseTo(0.3123, 4);
    expect(exactInterval(0, 59)?.[1]).toBeCloseTo(0.0495, 4);
    expect(exactInterval(0, 299)?.[1]).toBeCloseTo(0.00997, 5);
    expect(exactInterval(0, 8)?.[0]).toBe(0);
  });

  it('is Clopper–Pearson’s between the ends (figures of R’s binom.test)', () => {
    const [low, high] = exactInterval(3, 10) ?? [0, 0];
    expect(low).toBeCloseTo(0.06673951, 6);
    expect(high).toBeCloseTo(0.6524529, 6);
    const [low2, high2] = exactInterval(1, 8) ?? [0, 0];
    expect(low2).toBeCloseTo(0.003159723, 6);
    expect(high2).toBeCloseTo(0.5265097, 6);
  });

  it('is two-sided where all of n were: 0.025^(1/n) to 1', () => {
    expect(exactInterval(8, 8)).toEqual([expect.closeTo(0.6306, 4), 1]);
    expect(exactInterval(1, 1)).toEqual([expect.closeTo(0.025, 6), 1]);
  });

  it('bounds nothing without a trial', () => {
    expect(exactInterval(0, 0)).toBeUndefined();
  });
});
