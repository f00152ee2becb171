import { expect, it } from 'vitest';
import { meanWithInterval, pool } from './pool.ts';
import { verdictOfTest } from './testing.ts';

it('adds up restarts, drops and writes, and bounds the share of bad restarts', () => {
  const pooled = pool([
    verdictOfTest({ restarts: 8, badRestarts: 0, due: 4_000 }),
    verdictOfTest({ restarts: 8, due: 4_000 }),
  ]);
  expect(pooled).toMatchObject({ verdict: 'pass', runs: 2, leftOut: 0, restarts: 16, badRestarts: 0, due: 8_000 });
  // One-sided: 1 − 0.05^(1/16).
  expect(pooled.badRestartsInterval95?.[1]).toBeCloseTo(0.1707, 4);
  expect(pooled.sentence).toContain('0 of 16 restarts dropped anything (≤ 17.1 %');
});

it('leaves runs that cannot be trusted out of the sums, and is then inconclusive itself', () => {
  const pooled = pool([
    verdictOfTest({ restarts: 8 }),
    verdictOfTest({ restarts: 8, verdict: 'inconclusive', dropped: 9 }),
  ]);
  expect(pooled).toMatchObject({ verdict: 'inconclusive', leftOut: 1, restarts: 8, dropped: 0 });
  expect(
    pool([verdictOfTest({}), verdictOfTest({ verdict: 'inconclusive' }), verdictOfTest({ verdict: 'fail' })]).verdict,
  ).toBe('fail');
  expect(pool([]).verdict).toBe('aborted');
});

it('gives a mean its interval by Student’s t', () => {
  // Mean 4, standard deviation 1, n = 3: t(0.975, 2) = 4.3027, half-width 4.3027 / √3 = 2.4841.
  const interval = meanWithInterval([3, 4, 5]);
  expect(interval?.mean).toBe(4);
  expect(interval?.low).toBeCloseTo(1.5159, 3);
  expect(interval?.high).toBeCloseTo(6.4841, 3);
  expect(meanWithInterval([7])).toEqual({ mean: 7, low: 7, high: 7 });
  expect(meanWithInterval([])).toBeNull();
});
