/** What several runs of the same experiment come to together. The restart is the unit that is replicated. */
import jstat from 'jstat';
import { greatestOf, sum, sumOf } from '../../base/sums.ts';
import { exactInterval } from '../../base/interval.ts';
import { boundText, restartsText } from '../citation.ts';
import { answerClaim } from './claim.ts';
import { dropsByRestart, isConclusive, type Verdict, type WritesVerdict } from '../record/verdict.ts';

/** Runs that can be trusted, added up. */
export interface Pooled {
  readonly verdict: Verdict['verdict'];
  readonly runs: number;
  /** Runs that are inconclusive or aborted: they are not part of the sums. */
  readonly leftOut: number;
  readonly due: number;
  readonly dropped: number;
  readonly restarts: number;
  readonly badRestarts: number;
  readonly badRestartsInterval95: readonly [number, number] | null;
  /** Drops a restart: the mean, and its 95 % interval by Student's t over restarts. */
  readonly droppedPerRestart: { readonly mean: number; readonly low: number; readonly high: number } | null;
  readonly predictedPerRestart: number | null;
  readonly longestWaitMs: number | null;
  /** null where what became of them is not known of every run. */
  readonly writes: {
    readonly acknowledged: number;
    readonly lost: number;
    readonly duplicated: number | null;
    readonly misattributed: number;
  } | null;
  /** The share of clean restarts that is claimed, and whether the sums bear it; null where nothing is claimed. */
  readonly claim: { readonly cleanPercent: number; readonly answer: 'borne' | 'refuted' | 'too-few' } | null;
  /** Why it is no pass. */
  readonly reasons: readonly string[];
  /** The sums in words. */
  readonly sentence: string;
}

function writesOf(verdicts: readonly Verdict[]): Pooled['writes'] {
  const known = verdicts.flatMap(({ writes }) => writes ?? []);
  if (known.length === 0 || known.length < verdicts.length) return null;
  const total = (of: (writes: WritesVerdict) => number): number => sumOf(known, of);
  return {
    acknowledged: total(({ acknowledged }) => acknowledged),
    lost: total(({ lost }) => lost),
    duplicated: known.some(({ duplicated }) => duplicated === null) ? null : total(({ duplicated }) => duplicated ?? 0),
    misattributed: total(({ misattributed }) => misattributed),
  };
}

/**
 * Adds up. One failed run fails the whole; one that cannot be trusted leaves the whole inconclusive.
 * @param cleanPercent the share of clean restarts that is claimed of all runs together
 */
export function pool(verdicts: readonly Verdict[], cleanPercent: number | null = null): Pooled {
  const trusted = verdicts.filter(isConclusive);
  const total = (of: (verdict: Verdict) => number): number => sumOf(trusted, of);
  const restarts = total((verdict) => verdict.restarts);
  const badRestarts = total((verdict) => verdict.badRestarts);
  const interval = exactInterval(badRestarts, restarts) ?? null;
  const perRestart = trusted.flatMap(dropsByRestart);
  const predictions = trusted.flatMap(({ perRestart: rows }) => rows.map(({ predictedDropped }) => predictedDropped));
  const known = predictions.filter((prediction) => prediction !== null);
  const perSite = trusted[0]?.perSite;
  const sums = {
    runs: verdicts.length,
    leftOut: verdicts.length - trusted.length,
    due: total(({ due }) => due),
    dropped: total(({ dropped }) => dropped),
    restarts,
    badRestarts,
    badRestartsInterval95: interval,
    droppedPerRestart: meanWithInterval(perRestart),
    predictedPerRestart: known.length === 0 || known.length < predictions.length ? null : sum(known) / known.length,
    longestWaitMs: greatestOf(trusted.map(({ longestWaitMs }) => longestWaitMs)),
    writes: writesOf(trusted),
  };
  const claimed = cleanPercent === null ? null : answerClaim({ cleanPercent, because: '' }, badRestarts, restarts);
  const kinds = verdicts.map(({ verdict }) => verdict);
  if (claimed?.kind === 'refuted') kinds.push('fail');
  if (claimed?.kind === 'too-few') kinds.push('inconclusive');
  const worst = (['fail', 'aborted', 'inconclusive'] as const).find((kind) => kinds.includes(kind)) ?? 'pass';
  return {
    verdict: verdicts.length === 0 ? 'aborted' : worst,
    ...sums,
    claim: claimed === null || cleanPercent === null ? null : { cleanPercent, answer: claimed.kind },
    reasons: [
      ...verdicts
        .filter(({ verdict }) => verdict !== 'pass')
        .map(({ runId, verdict, reasons }) => `${runId} is ${verdict}: ${reasons[0] ?? ''}`.trim()),
      ...(claimed?.kind === 'too-few' ? [claimed.why] : []),
      ...(claimed?.kind === 'refuted' ? [`Fewer than ${cleanPercent} % of the restarts are clean.`] : []),
    ],
    sentence: trusted.length === 0 ? nothingTrusted(verdicts) : sentenceOf(sums, perSite),
  };
}

/** Sums of nothing would read like figures. */
function nothingTrusted(verdicts: readonly Verdict[]): string {
  const why = verdicts[0]?.reasons[0];
  return `${verdicts.length === 0 ? 'no run was made' : `none of ${verdicts.length} runs can be trusted`}${
    why === undefined ? '' : `; the first is ${verdicts[0]?.verdict ?? ''}: ${why}`
  }`;
}

/** Mean with Student's 95 % interval; of one value there is none. */
export function meanWithInterval(values: readonly number[]): Pooled['droppedPerRestart'] {
  const n = values.length;
  if (n === 0) return null;
  const mean = sum(values) / n;
  if (n === 1) return { mean, low: mean, high: mean };
  const variance = sumOf(values, (value) => (value - mean) ** 2) / (n - 1);
  const half = jstat.studentt.inv(0.975, n - 1) * Math.sqrt(variance / n);
  return { mean, low: Math.max(0, mean - half), high: mean + half };
}

/** @param perSite of several sites: those of one run, which are those of all */
function sentenceOf(
  sums: Omit<Pooled, 'verdict' | 'claim' | 'reasons' | 'sentence'>,
  perSite: Verdict['perSite'],
): string {
  const { runs, leftOut, restarts, badRestarts, dropped, due, longestWaitMs, writes } = sums;
  const interval = sums.badRestartsInterval95;
  const bound = boundText({ badRestarts, badRestartsInterval95: interval === null ? null : [...interval] });
  return [
    `${runs - leftOut} runs${leftOut === 0 ? '' : ` (${leftOut} more cannot be trusted and are not counted)`}`,
    restarts === 0
      ? 'no restart'
      : `${restartsText({ badRestarts, restarts, perSite })} dropped ${badRestarts === 0 ? 'anything' : 'something'} (${bound})`,
    `${dropped} of ${due} requests`,
    longestWaitMs === null ? 'no ok answer' : `longest wait ${longestWaitMs.toFixed(0)} ms`,
    writes === null
      ? 'writes not checked'
      : `writes: ${writes.acknowledged} acknowledged, ${writes.lost} lost, ` +
        `${writes.duplicated ?? 'an unknown number'} duplicated, ${writes.misattributed} misattributed`,
  ].join('; ');
}
