/** Two runs side by side: each figure of both, whether chance could have made the difference, and what makes them unlike. Pure. */
import { fisherExact, permutationTest } from '../../base/exact-tests.ts';
import { differences, flatFields, type Difference } from '../../experiment/differences.ts';
import { subjectOf, type RunRecord } from '../../run/run-record.ts';
import { pressurePercent } from '../../verdict/pressure.ts';
import type { ReadRun } from '../../verdict/read-run.ts';
import type { Tally, Verdict } from '../../verdict/verdict.ts';

/** A figure of both runs; null where a run has none. */
export interface Figure {
  readonly name: string;
  readonly unit: '' | 'ms' | '%' | '/s';
  readonly a: number | null;
  readonly b: number | null;
}

/** A part of the load in both runs. */
interface KindFigures {
  readonly kind: string;
  readonly a: { readonly dropped: number; readonly due: number };
  readonly b: { readonly dropped: number; readonly due: number };
}

/** One of the two, in short. */
export interface Side {
  readonly experiment: string;
  readonly variant: string | null;
  readonly runId: string;
  readonly verdict: Verdict['verdict'];
  readonly badRestarts: number;
  /** Those that count. */
  readonly restarts: number;
  readonly voidRestarts: number;
  readonly badRestartsInterval95: readonly [number, number] | null;
  readonly dropped: number;
  readonly due: number;
  readonly citation: string;
}

/** What `compare --json` prints. */
export interface Comparison {
  readonly schema: 1;
  readonly a: Side;
  readonly b: Side;
  /** What makes the two unlike, beside what was measured: a sentence each. */
  readonly warnings: readonly string[];
  readonly experimentDiffers: readonly Difference[];
  readonly fingerprintDiffers: readonly Difference[];
  /** The chance of a difference this large if there were none; null where a run has no restart that counts. */
  readonly tests: {
    /** Fisher's exact test, both sides, on the share of bad restarts. */
    readonly badRestartsP: number | null;
    /** The exact permutation test, both sides, on drops restart by restart. */
    readonly droppedPerRestartP: number | null;
  };
  readonly figures: readonly Figure[];
  readonly byKind: readonly KindFigures[];
}

/** Names of a machine or of a moment, which differ between runs that are alike. */
const ownOfEachRun = new Set(['project', 'sources']);

/** Compares. */
export function compareRuns(a: ReadRun, b: ReadRun): Comparison {
  const experimentDiffers = differences(settingsOf(a.run), settingsOf(b.run));
  const fingerprintDiffers = differences(a.run.fingerprint, b.run.fingerprint);
  const bothRestart = a.verdict.restarts > 0 && b.verdict.restarts > 0;
  const share = ({ verdict }: ReadRun) => ({ bad: verdict.badRestarts, all: verdict.restarts });
  return {
    schema: 1,
    a: sideOf(a),
    b: sideOf(b),
    warnings: warningsOf(a, b, experimentDiffers, fingerprintDiffers),
    experimentDiffers,
    fingerprintDiffers,
    tests: {
      badRestartsP: bothRestart ? fisherExact(share(a), share(b), 'other') : null,
      droppedPerRestartP: bothRestart ? permutationTest(dropsOf(a), dropsOf(b), 'other') : null,
    },
    figures: figuresOf(a, b),
    byKind: kindsOf(a.verdict, b.verdict),
  };
}

function sideOf({ verdict }: ReadRun): Side {
  const { experiment, variant, runId, verdict: kind, badRestarts, restarts, voidRestarts } = verdict;
  const { badRestartsInterval95, dropped, due, citation } = verdict;
  return {
    ...{ experiment, variant, runId, verdict: kind, badRestarts, restarts, voidRestarts },
    ...{ badRestartsInterval95, dropped, due, citation },
  };
}

/** Drops of each restart that counts. */
function dropsOf({ verdict }: ReadRun): number[] {
  return verdict.perRestart
    .filter(({ voided, droppedInRestart }) => !voided || droppedInRestart > 0)
    .map(({ droppedInRestart }) => droppedInRestart);
}

function warningsOf(
  a: ReadRun,
  b: ReadRun,
  experiment: readonly Difference[],
  fingerprint: readonly Difference[],
): string[] {
  const warnings: string[] = [];
  if (a.verdict.runId === b.verdict.runId) warnings.push('Both are the same run.');
  for (const [name, { verdict }] of [['A', a] as const, ['B', b] as const]) {
    if (verdict.verdict === 'inconclusive' || verdict.verdict === 'aborted') {
      warnings.push(`${name} is ${verdict.verdict}: its figures are no evidence. ${verdict.reasons[0] ?? ''}`.trim());
    }
    if (verdict.controls === null) warnings.push(`${name} was made without controls: it is not for citing.`);
  }
  const isSame = a.verdict.hashes.experiment === b.verdict.hashes.experiment;
  if (!isSame) {
    warnings.push(
      experiment.length === 0
        ? 'The experiments differ in what is expected of them, and in nothing that ran.'
        : `The experiments differ${named(experiment)}: what differs below may be owed to that.`,
    );
  }
  const own = fingerprint.filter(({ name }) => ownOfEachRun.has(name));
  const lab = fingerprint.filter(({ name }) => !ownOfEachRun.has(name));
  if (lab.length > 0) warnings.push(`The fingerprints differ${named(lab)}: the lab is not the same.`);
  if (own.length > 0) warnings.push(`The two ran different states of the project${named(own)}.`);
  return warnings;
}

function named(differing: readonly Difference[]): string {
  return differing.length === 0 ? '' : ` in ${differing.map(({ name }) => name).join(', ')}`;
}

/** What ran: paths as --set has them, and values. What was expected of it, and its texts, made no difference to it. */
function settingsOf(run: RunRecord): Record<string, string> {
  if (run.kind === 'measure') return flatFields(run.service);
  const { app, unit, sites, proxy, load, probe, deploy } = run.experiment;
  return flatFields({ app, unit, sites, proxy, load, probe, deploy });
}

function figuresOf(a: ReadRun, b: ReadRun): Figure[] {
  const figure = (name: string, unit: Figure['unit'], of: (one: ReadRun) => number | null | undefined): Figure => ({
    name,
    unit,
    a: of(a) ?? null,
    b: of(b) ?? null,
  });
  const perRestart = (one: ReadRun, total: number | null): number | null =>
    total === null || one.verdict.restarts === 0 ? null : total / one.verdict.restarts;
  return [
    figure('dropped', '', ({ verdict }) => verdict.dropped),
    figure('dropped a restart', '', (one) => perRestart(one, one.verdict.dropped)),
    figure('predicted a restart', '', (one) => perRestart(one, one.verdict.predicted.dropped)),
    figure('measured against predicted', '%', ({ verdict }) => verdict.predicted.differencePercent),
    figure('unexplained', '', ({ verdict }) => verdict.unexplained),
    figure('longest wait', 'ms', ({ verdict }) => verdict.longestWaitMs),
    figure('gap without an ok answer', 'ms', ({ verdict }) => verdict.gapMs),
    figure('longest outage window', 'ms', ({ verdict }) => verdict.longestOutageMs),
    figure('stalls', '', ({ verdict }) => verdict.stalls.count),
    figure('stale answers', '', ({ verdict }) => verdict.stale),
    figure('writes acknowledged', '', ({ verdict }) => verdict.writes?.acknowledged),
    figure('writes lost', '', ({ verdict }) => verdict.writes?.lost),
    figure('writes acknowledged early', '', ({ verdict }) => verdict.writes?.early),
    figure('writes altered', '', ({ verdict }) => verdict.writes?.altered),
    figure('writes duplicated', '', ({ verdict }) => verdict.writes?.duplicated),
    figure('writes misattributed', '', ({ verdict }) => verdict.writes?.misattributed),
    figure('writes indeterminate', '', ({ verdict }) => verdict.writes?.indeterminate),
    figure('rate asked', '/s', ({ run }) => subjectOf(run).ratePerSecond),
    figure('schedule lag, median', 'ms', ({ verdict }) => verdict.schedule.lagP50Ms),
    figure('schedule lag, 99th percentile', 'ms', ({ verdict }) => verdict.schedule.lagP99Ms),
    figure('schedule lag, longest', 'ms', ({ verdict }) => verdict.schedule.lagMaxMs),
    figure('time in which some process waited for a CPU', '%', ({ run, verdict }) =>
      pressurePercent(verdict.witnesses.kernel, run.durationMs),
    ),
  ];
}

function kindsOf(a: Verdict, b: Verdict): KindFigures[] {
  const of = (tally: Tally | undefined) => ({ dropped: tally?.dropped ?? 0, due: tally?.due ?? 0 });
  return [...new Set([...Object.keys(a.byKind), ...Object.keys(b.byKind)])]
    .sort()
    .map((kind) => ({ kind, a: of(a.byKind[kind]), b: of(b.byKind[kind]) }));
}
