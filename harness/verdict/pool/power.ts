/** What a run could have seen, and what it takes to claim more. */
import type { Verdict } from '../record/verdict.ts';

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
