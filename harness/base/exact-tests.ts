/** Exact tests on counts: what a difference as large as the one that was seen would be worth if there were none. */
import jstat from 'jstat';
import { sum, sumOf } from './sums.ts';

/** Which differences count: more than before, or other than before. */
export type Sides = 'more' | 'other';

/** Probabilities that differ by less than this are equal: they are sums of floating point. */
const equal = 1e-7;

/**
 * Fisher's exact test: `bad` of `all` now, against `bad` of `all` before, both at least as many in all as bad.
 * @returns the probability of a table at least as far from equal shares, margins given; 1 where either had no trial
 */
export function fisherExact(now: Share, before: Share, sides: Sides): number {
  const bad = now.bad + before.bad;
  const all = now.all + before.all;
  if (now.all === 0 || before.all === 0) return 1;
  const low = Math.max(0, bad - before.all);
  const high = Math.min(bad, now.all);
  const logOf = (x: number): number => logChoose(bad, x) + logChoose(all - bad, now.all - x) - logChoose(all, now.all);
  return tail({ low, high, logOf }, now.bad, sides);
}

/**
 * Below this probability, either of two tests of one comparison tells a difference: they share 0.05, the probability that
 * two equal things are told apart (Bonferroni).
 */
export const significantOfTwo = 0.05 / 2;

/** A count of bad ones among all. */
export interface Share {
  readonly bad: number;
  readonly all: number;
}

/**
 * The conditional binomial test of two Poisson counts: given their sum, each event falls into `now` with the share of
 * its exposure (what was at risk).
 * @returns 1 where nothing happened, or nothing was at risk
 */
export function conditionalBinomial(now: Events, before: Events, sides: Sides): number {
  const total = now.events + before.events;
  const exposure = now.exposure + before.exposure;
  if (total === 0 || now.exposure === 0 || before.exposure === 0) return 1;
  const share = now.exposure / exposure;
  const logOf = (x: number): number => logChoose(total, x) + x * Math.log(share) + (total - x) * Math.log1p(-share);
  return tail({ low: 0, high: total, logOf }, now.events, sides);
}

/** A count of events, and of what could have been one. */
export interface Events {
  readonly events: number;
  readonly exposure: number;
}

/** Counts from `low` to `high`, and the logarithm of the probability of each. */
interface Distribution {
  readonly low: number;
  readonly high: number;
  readonly logOf: (x: number) => number;
}

/** The probability of a count at least as high, or at least as unlikely, as the one seen. */
function tail({ low, high, logOf }: Distribution, seen: number, sides: Sides): number {
  const limit = logOf(seen) + equal;
  let p = 0;
  for (let x = low; x <= high; x++) {
    const log = logOf(x);
    if (sides === 'more' ? x >= seen : log <= limit) p += Math.exp(log);
  }
  return Math.min(1, p);
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  if (k === 0 || k === n) return 0;
  return jstat.gammaln(n + 1) - jstat.gammaln(k + 1) - jstat.gammaln(n - k + 1);
}

/** More steps than this take too long: values are then compared in coarser units. */
const mostSteps = 1e8;

/**
 * The exact permutation test of two groups of whole numbers, one a restart: of all ways to deal the restarts out to the
 * two groups, the share in which the sum of the first is at least as high (or, for `other`, as far out: twice the
 * smaller tail). Restarts are what is replicated; requests within one are not independent.
 */
export function permutationTest(now: readonly number[], before: readonly number[], sides: Sides): number {
  const n = now.length;
  if (n === 0 || before.length === 0) return 1;
  const all = [...now, ...before];
  const least = Math.min(...all);
  const steps = (most: number): number => all.length * n * n * (most + 1);
  const unit = Math.max(1, Math.ceil(steps(Math.max(...all) - least) / mostSteps));
  const shifted = all.map((value) => Math.round((value - least) / unit));
  const seen = sum(shifted.slice(0, n));
  const most = sum(shifted.toSorted((a, b) => b - a).slice(0, n));
  // ways[j][s]: of the restarts so far, the ways to take j whose sum is s.
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(most + 1));
  (ways[0] as Float64Array)[0] = 1;
  for (const value of shifted) {
    for (let taken = n; taken >= 1; taken--) {
      const [into, from] = [ways[taken] as Float64Array, ways[taken - 1] as Float64Array];
      for (let at = most; at >= value; at--) into[at] = (into[at] ?? 0) + (from[at - value] ?? 0);
    }
  }
  let [below, at, above] = [0, 0, 0];
  for (const [total, count] of (ways[n] as Float64Array).entries()) {
    if (total < seen) below += count;
    else if (total > seen) above += count;
    else at += count;
  }
  const ofAll = below + at + above;
  const [less, more] = [(below + at) / ofAll, (above + at) / ofAll];
  return sides === 'more' ? more : Math.min(1, 2 * Math.min(less, more));
}

/**
 * Upper end of the prediction interval of one more value like these, by Student's t: above it, the next is with
 * probability `alpha`. Normal values are assumed, which waits are only roughly: the caller adds what is immaterial.
 * @returns undefined of fewer than two values, which tell nothing of their spread
 */
export function predictionLimit(values: readonly number[], alpha: number): number | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const mean = sum(values) / n;
  const variance = sumOf(values, (value) => (value - mean) ** 2) / (n - 1);
  return mean + jstat.studentt.inv(1 - alpha, n - 1) * Math.sqrt(variance * (1 + 1 / n));
}
