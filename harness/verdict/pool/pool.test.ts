import { describe, expect, it } from 'vitest';
import { meanWithInterval, pool } from './pool.ts';
import type { Verdict } from '../record/verdict.ts';
import { restartVerdict, siteVerdict, verdictOfTest, writes } from '../testing.ts';

it('adds up restarts, drops and writes, and bounds the share of bad restarts', () => {
  const clean = verdictOfTest({ due: 4_000 });
  const pooled = pool([clean, clean]);
  expect(pooled).toMatchObject({ verdict: 'pass', runs: 2, leftOut: 0, restarts: 16, badRestarts: 0, due: 8_000 });
  // One-sided: 1 − 0.05^(1/16).
  expect(pooled.badRestartsInterval95?.[1]).toBeCloseTo(0.1707, 4);
  expect(pooled.sentence).toContain('0 of 16 restarts dropped anything (≤ 17.1 %');
  const ofTwo = verdictOfTest({ restarts: 8, perSite: [siteVerdict('demo'), siteVerdict('demo2')] });
  expect(pool([ofTwo, ofTwo]).sentence).toContain('0 of 16 restarts of 2 sites dropped anything');
});

it('leaves runs that cannot be trusted out of the sums, and is then inconclusive itself', () => {
  const pooled = pool([verdictOfTest({}), verdictOfTest({ verdict: 'inconclusive', dropped: 9 })]);
  expect(pooled).toMatchObject({ verdict: 'inconclusive', leftOut: 1, restarts: 8, dropped: 0 });
  const of = (...kinds: Verdict['verdict'][]): string =>
    pool(kinds.map((verdict) => verdictOfTest({ verdict }))).verdict;
  expect(of('pass', 'inconclusive', 'fail')).toBe('fail');
  expect([of('pass', 'inconclusive'), of('pass', 'aborted'), of()]).toEqual(['inconclusive', 'aborted', 'aborted']);
});

it('says of runs of which none can be trusted that there is no figure, and why', () => {
  const late = verdictOfTest({ verdict: 'inconclusive', reasons: ['A request left late.'], due: 300 });
  expect(pool([late, late]).sentence).toBe(
    'none of 2 runs can be trusted; the first is inconclusive: A request left late.',
  );
  expect(pool([]).sentence).toBe('no run was made');
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

const restart = restartVerdict();

it('adds failed runs as well: they can be trusted', () => {
  const failed = verdictOfTest({
    verdict: 'fail',
    due: 400,
    dropped: 7,
    restarts: 2,
    badRestarts: 1,
    longestWaitMs: 900,
    writes: { ...writes, acknowledged: 5, lost: 1, duplicated: 2, misattributed: 3 },
  });
  const pooled = pool([failed, verdictOfTest({ longestWaitMs: 20 }), verdictOfTest({ longestWaitMs: null })]);
  expect(pooled).toMatchObject({
    verdict: 'fail',
    runs: 3,
    leftOut: 0,
    due: 1_000,
    dropped: 7,
    restarts: 18,
    badRestarts: 1,
    longestWaitMs: 900,
    writes: { acknowledged: 25, lost: 1, duplicated: 2, misattributed: 3 },
  });
  expect(pooled.sentence).toBe(
    '3 runs; 1 of 18 restarts dropped something (0.1 % to 27.3 %, exact 95 %); 7 of 1000 requests; longest wait 900 ms; ' +
      'writes: 25 acknowledged, 1 lost, 2 duplicated, 3 misattributed',
  );
});

it('says how many runs were left out, that nothing restarted, and that nothing was answered', () => {
  const none = { restarts: 0, due: 0, longestWaitMs: null, writes: null } as const;
  const aborted = verdictOfTest({ verdict: 'aborted' });
  const pooled = pool([verdictOfTest(none), aborted, aborted]);
  expect(pooled).toMatchObject({ verdict: 'aborted', runs: 3, leftOut: 2, longestWaitMs: null });
  expect(pooled).toMatchObject({ badRestartsInterval95: null, droppedPerRestart: null, predictedPerRestart: null });
  expect(pooled.sentence).toBe(
    '1 runs (2 more cannot be trusted and are not counted); no restart; 0 of 0 requests; no ok answer; ' +
      'writes not checked',
  );
});

it('takes the mean of drops over restarts that count: those on time, and those that dropped', () => {
  const perRestart = [
    { ...restart, droppedInRestart: 4 },
    { ...restart, droppedInRestart: 0, voided: true },
    { ...restart, droppedInRestart: 8, voided: true },
    { ...restart, droppedInRestart: 0 },
    { ...restart, droppedInRestart: 0 },
  ];
  expect(pool([verdictOfTest({ perRestart })]).droppedPerRestart?.mean).toBe(3);
});

it('takes the mean of predictions, where each restart has one', () => {
  const predicted = (...values: (number | null)[]): number | null =>
    pool([verdictOfTest({ perRestart: values.map((predictedDropped) => ({ ...restart, predictedDropped })) })])
      .predictedPerRestart;
  expect(predicted(70, 90)).toBe(80);
  expect(predicted(70, null)).toBeNull();
  expect(predicted(null)).toBeNull();
  expect(predicted(0)).toBe(0);
});

describe('a claim about all restarts', () => {
  // 0 of n bounds the share of bad ones to 1 − 0.05^(1/n): 299 for 1 %.
  const clean = (restarts: number) => verdictOfTest({ restarts, badRestarts: 0 });
  it.each([
    ['borne by all runs together', [clean(150), clean(149)], 'pass', 'borne'],
    ['not by one restart less', [clean(150), clean(148)], 'inconclusive', 'too-few'],
    // 12 of 300 are at least 2.1 %, with 95 %.
    ['refuted', [clean(150), verdictOfTest({ restarts: 150, badRestarts: 12 })], 'fail', 'refuted'],
  ] as const)('is %s', (_, verdicts, verdict, answer) => {
    expect(pool(verdicts, 99)).toMatchObject({ verdict, claim: { cleanPercent: 99, answer } });
  });
});
