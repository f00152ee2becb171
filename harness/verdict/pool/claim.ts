/** What a number of restarts bears: a claim about all of them, such as "99 % are clean"; and what it takes to claim more. */
import type { Experiment } from '../../experiment/experiment.ts';
import { exactInterval } from '../../base/interval.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { Verdict } from '../record/verdict.ts';

/** What the restarts say of a claim: borne, refuted, or too few to tell, which is a sentence. */
export type ClaimAnswer = { readonly kind: 'borne' | 'refuted' } | { readonly kind: 'too-few'; readonly why: string };

/** What a run claims; undefined where it claims nothing. */
export function claimOf(run: RunRecord): Experiment['expect']['claim'] {
  if (run.kind === 'experiment') return run.experiment.expect.claim;
  const { claimPercent } = run.service;
  return claimPercent === undefined
    ? undefined
    : { cleanPercent: claimPercent, because: 'the claim that --claim makes' };
}

/**
 * Borne where the exact 95 % bound of the share of bad restarts lies within what the claim allows, refuted where all of
 * the interval lies above it.
 */
export function answerClaim(
  { cleanPercent }: NonNullable<Experiment['expect']['claim']>,
  badRestarts: number,
  restarts: number,
): ClaimAnswer {
  const allowed = 1 - cleanPercent / 100;
  const [low, high] = exactInterval(badRestarts, restarts) ?? [0, 1];
  if (high <= allowed) return { kind: 'borne' };
  if (low > allowed) return { kind: 'refuted' };
  const needed = restartsFor(cleanPercent / 100);
  return {
    kind: 'too-few',
    why:
      `Too few restarts for the claim that ${cleanPercent} % of them are clean: ${badRestarts} of ${restarts} dropped ` +
      `something, which bounds the bad ones to ${(100 * high).toFixed(1)} %; it takes ${needed} clean ones in a row ` +
      `(--restarts ${needed}).`,
  };
}

/** 95 % of the time a zero is not seen where three events are expected: −ln 0.05, the rule of three. */
const threeEvents = -Math.log(0.05);

/**
 * The power of a run, with 95 %: which window in a restart it would have met, and how many clean restarts in a row bound
 * the share of bad ones to 1 and 0.1 %.
 * A window of w seconds meets rate × w requests a restart: R ≥ 3 / (rate × w).
 */
export function powerOf(restarts: number, ratePerSecond: number): Verdict['power'] {
  return {
    smallestWindowMs: restarts === 0 ? null : Math.round((threeEvents * 1e6) / (ratePerSecond * restarts)) / 1000,
    restartsFor99Percent: restartsFor(0.99),
    restartsFor999Permille: restartsFor(0.999),
  };
}

/** Clean restarts in a row after which the share of clean ones is at least this, with 95 % (Clopper and Pearson). */
export function restartsFor(cleanShare: number): number {
  return Math.ceil(Math.log(0.05) / Math.log(cleanShare));
}
