import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionalBinomial, fisherExact, permutationTest, predictionLimit } from './exact-tests.ts';

describe('Fisher’s exact test', () => {
  it('gives what Fisher gave for the lady tasting tea', () => {
    // 3 of 4 and 1 of 4: (C(4,3)·C(4,1) + C(4,4)·C(4,0)) / C(8,4).
    expect(fisherExact({ bad: 3, all: 4 }, { bad: 1, all: 4 }, 'more')).toBeCloseTo(17 / 70, 12);
    expect(fisherExact({ bad: 3, all: 4 }, { bad: 1, all: 4 }, 'other')).toBeCloseTo(34 / 70, 12);
  });

  it('is as small as there are ways to deal out the bad ones, when all of them are here', () => {
    // C(16,8) / C(64,8).
    expect(fisherExact({ bad: 8, all: 16 }, { bad: 0, all: 48 }, 'more')).toBeCloseTo(12_870 / 4_426_165_368, 12);
  });

  it('tells nothing of nothing, and of equal shares', () => {
    expect(fisherExact({ bad: 0, all: 0 }, { bad: 1, all: 4 }, 'other')).toBe(1);
    expect(fisherExact({ bad: 0, all: 16 }, { bad: 0, all: 48 }, 'more')).toBeCloseTo(1, 9);
    expect(fisherExact({ bad: 4, all: 4 }, { bad: 8, all: 8 }, 'other')).toBeCloseTo(1, 9);
  });

  it('sees fewer only where fewer is asked for', () => {
    expect(fisherExact({ bad: 0, all: 8 }, { bad: 24, all: 24 }, 'more')).toBeCloseTo(1, 9);
    expect(fisherExact({ bad: 0, all: 8 }, { bad: 24, all: 24 }, 'other')).toBeLessThan(1e-6);
  });
});

describe('the conditional binomial test', () => {
  it('deals events out by exposure', () => {
    expect(conditionalBinomial({ events: 4, exposure: 100 }, { events: 0, exposure: 100 }, 'more')).toBeCloseTo(1 / 16);
    expect(conditionalBinomial({ events: 4, exposure: 100 }, { events: 0, exposure: 100 }, 'other')).toBeCloseTo(1 / 8);
    expect(conditionalBinomial({ events: 1, exposure: 100 }, { events: 0, exposure: 300 }, 'more')).toBeCloseTo(1 / 4);
  });

  it('tells nothing where nothing happened', () => {
    expect(conditionalBinomial({ events: 0, exposure: 100 }, { events: 0, exposure: 100 }, 'more')).toBe(1);
    expect(conditionalBinomial({ events: 0, exposure: 0 }, { events: 3, exposure: 100 }, 'more')).toBe(1);
  });
});

describe('the permutation test', () => {
  it('is the share of all ways to deal the restarts out', () => {
    expect(permutationTest([1], [0, 0, 0], 'more')).toBeCloseTo(1 / 4, 12);
    expect(permutationTest([9, 9], [1, 1, 1, 1], 'more')).toBeCloseTo(1 / 15, 12);
    expect(permutationTest([0, 0], [9, 9, 9, 9], 'more')).toBe(1);
    expect(permutationTest([0, 0], [9, 9, 9, 9], 'other')).toBeCloseTo(2 / 15, 12);
    expect(permutationTest([3, 3], [3, 3, 3], 'other')).toBe(1);
  });

  it('counts as a plain count of all subsets does', () => {
    const few = fc.array(fc.integer({ min: -5, max: 20 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(few, few, (now, before) => {
        expect(permutationTest(now, before, 'more')).toBeCloseTo(shareByHand(now, before), 9);
      }),
    );
  });

  it('keeps to a second for large runs', () => {
    const now = Array.from({ length: 100 }, (_, index) => 1_000 + ((index * 7) % 13));
    const before = Array.from({ length: 300 }, (_, index) => 1_000 + ((index * 5) % 13));
    const begun = performance.now();
    const p = permutationTest(now, before, 'other');
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(p).toBeGreaterThan(0.01);
  });
});

/** Of all subsets of the same size, the share whose sum is at least as high. */
function shareByHand(now: readonly number[], before: readonly number[]): number {
  const all = [...now, ...before];
  const seen = now.reduce((sum, value) => sum + value, 0);
  let [as, total] = [0, 0];
  for (let set = 0; set < 2 ** all.length; set++) {
    const chosen = all.filter((_, index) => (set & (1 << index)) !== 0);
    if (chosen.length !== now.length) continue;
    total++;
    if (chosen.reduce((sum, value) => sum + value, 0) >= seen) as++;
  }
  return as / total;
}

describe('the prediction limit', () => {
  it('is mean + t · s · √(1 + 1/n)', () => {
    // t of 2 degrees of freedom at 95 %, one-sided, is 2.919986.
    expect(predictionLimit([1, 2, 3], 0.05)).toBeCloseTo(2 + 2.919986 * Math.sqrt(4 / 3), 4);
  });

  it('tells nothing of one value', () => {
    expect(predictionLimit([5], 0.05)).toBeUndefined();
  });
});
