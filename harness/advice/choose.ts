/** Which way to restart is recommended: one that lost nothing when it was measured, or none. */
import { isConclusive, type Verdict } from '../verdict/record/verdict.ts';
import { ways, type Way } from './ways.ts';

/** Drops of one method with one cause; null: no witness shows one. */
export interface Drops {
  readonly method: string;
  readonly cause: string | null;
  readonly count: number;
}

/** A way that was measured. */
export interface Measured {
  readonly kind: 'measured';
  readonly way: Way;
  readonly verdict: Verdict;
  /** The run's folder. */
  readonly folder: string;
  readonly drops: readonly Drops[];
}

/** A way of which there is no run, and why. */
export interface NotTried {
  readonly kind: 'not-tried';
  readonly way: Way;
  readonly why: string;
}

/** What came of one way. */
export type Tried = Measured | NotTried;

/** What speaks against recommending a way. */
interface Objection {
  /** untrusted: the run says nothing. lossy: it lost something, or did not do what it must. */
  readonly kind: 'untrusted' | 'lossy';
  readonly why: string;
}

/** What speaks against it; null: it lost nothing, and can be trusted. */
export function objectionTo(verdict: Verdict): Objection | null {
  const { dropped, due, restarts, reasons, expectations } = verdict;
  if (!isConclusive(verdict)) return { kind: 'untrusted', why: reasons[0] ?? `The run was ${verdict.verdict}.` };
  if (dropped > 0) return { kind: 'lossy', why: `dropped ${dropped} of ${due} requests` };
  // How long one waits is what the ways are compared by, and no loss.
  const missed = expectations.find(({ met, what }) => !met && what !== 'longest wait');
  if (missed !== undefined) {
    return { kind: 'lossy', why: `${missed.what}: ${missed.measured}, expected ${missed.expected}` };
  }
  return restarts > 0 ? null : { kind: 'untrusted', why: 'No restart counts: the load was late under each of them.' };
}

/** Longest waits that differ by less than this, or by less than a quarter, are taken as equal. */
const noiseMs = 100;
const noiseShare = 0.25;

/** Do they wait equally long, as far as one run of each can tell? */
function isTie(shorterMs: number, longerMs: number): boolean {
  return longerMs - shorterMs <= Math.max(noiseMs, shorterMs * noiseShare);
}

function waitOf({ verdict }: Measured): number {
  return verdict.longestWaitMs ?? Infinity;
}

function simplicityOf({ way }: Measured): number {
  return ways.findIndex(({ id }) => id === way.id);
}

/** A way that lost nothing, and those that wait as long and are not as simple. */
interface Ranked {
  readonly measured: Measured;
  readonly ties: readonly Measured[];
}

/** Those that lost nothing, the best first: the shortest longest wait; of those that wait equally long, the simplest. */
export function ranked(tried: readonly Tried[]): Ranked[] {
  let left = tried
    .filter((one) => one.kind === 'measured')
    .filter(({ verdict }) => objectionTo(verdict) === null)
    .sort((a, b) => waitOf(a) - waitOf(b));
  const order: Ranked[] = [];
  for (;;) {
    const [shortest] = left;
    if (shortest === undefined) return order;
    const equal = left.filter((one) => isTie(waitOf(shortest), waitOf(one)));
    const [simplest = shortest, ...ties] = equal.sort((a, b) => simplicityOf(a) - simplicityOf(b));
    order.push({ measured: simplest, ties });
    left = left.filter((one) => one !== simplest);
  }
}

/** The second run of a way, with more restarts; or why there is none. */
export type Second = Measured | NotTried;

/** A way that lost nothing at first, and what its second run says against it. */
export interface Refuted {
  readonly first: Measured;
  readonly second: Measured;
  readonly objection: Objection;
}

/** What to do next, or what is advised. */
export type Decision =
  /** Run it once more: only that run's figures are a recommendation. */
  | { readonly kind: 'confirm'; readonly next: Measured }
  | {
      readonly kind: 'recommended';
      readonly first: Measured;
      readonly second: Second;
      /** The run whose figures bear the recommendation: the second, if it can be trusted, else the first. */
      readonly bearing: Measured;
      readonly ties: readonly Measured[];
      readonly runnerUp: Measured | null;
      readonly refuted: readonly Refuted[];
    }
  /** Whatever can be trusted lost something. */
  | { readonly kind: 'all-lossy'; readonly least: Measured; readonly refuted: readonly Refuted[] }
  /** What might lose nothing cannot be trusted: nothing is known. */
  | { readonly kind: 'unknown'; readonly refuted: readonly Refuted[] };

/** Decides from the runs that there are. */
export function decide(tried: readonly Tried[], seconds: ReadonlyMap<string, Second>): Decision {
  const order = ranked(tried);
  const refuted: Refuted[] = [];
  for (const [index, { measured: first, ties }] of order.entries()) {
    const second = seconds.get(first.way.id);
    if (second === undefined) return { kind: 'confirm', next: first };
    const objection = second.kind === 'measured' ? objectionTo(second.verdict) : null;
    if (second.kind === 'measured' && objection !== null && !saysNothing(second)) {
      refuted.push({ first, second, objection });
      continue;
    }
    const isDoubtful = (one: Measured): boolean => refuted.some(({ first: of }) => of === one);
    return {
      kind: 'recommended',
      ...{ first, second, refuted },
      bearing: second.kind === 'measured' && objection === null ? second : first,
      ties: ties.filter((one) => !isDoubtful(one)),
      runnerUp: order[index + 1]?.measured ?? null,
    };
  }
  return withoutWinner(tried, refuted);
}

/** A run that is not trusted, and dropped nothing, takes nothing back. */
function saysNothing({ verdict }: Measured): boolean {
  return !isConclusive(verdict) && verdict.dropped === 0;
}

function withoutWinner(tried: readonly Tried[], refuted: readonly Refuted[]): Decision {
  const measured = [
    ...tried.filter((one) => one.kind === 'measured').filter((one) => !refuted.some(({ first }) => first === one)),
    ...refuted.map(({ second }) => second),
  ];
  const open = measured.filter(mightBeClean);
  const known = measured
    .filter(({ verdict }) => objectionTo(verdict)?.kind === 'lossy')
    .sort((a, b) => dropsPerRestart(a) - dropsPerRestart(b));
  const [least] = known;
  return least === undefined || open.length > 0 ? { kind: 'unknown', refuted } : { kind: 'all-lossy', least, refuted };
}

/** Is it a run that cannot be trusted, and that shows no drop for certain? */
export function mightBeClean({ verdict }: Measured): boolean {
  return objectionTo(verdict)?.kind === 'untrusted' && (verdict.provenDropped ?? verdict.dropped) === 0;
}

/** Requests that each restart dropped, on average. */
export function dropsPerRestart({ verdict: { dropped, restarts } }: Pick<Measured, 'verdict'>): number {
  return restarts === 0 ? dropped : dropped / restarts;
}
