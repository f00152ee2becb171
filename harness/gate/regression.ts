/** A run against its baseline: exact tests on counts, intervals on waits. Pure. */
import { conditionalBinomial, fisherExact, permutationTest, predictionLimit, type Sides } from '../base/exact-tests.ts';
import { sum, sumOf } from '../base/sums.ts';
import type { Baseline, RunFigures } from './baseline.ts';
import type { Entry } from './files/budgets.ts';
import { figures, type FigureName } from './figures.ts';
import type { Check } from './gate-result.ts';

/** A difference in the mean of drops a restart below this share of the baseline's mean is not worth a failure. */
const immaterialShare = 0.2;
/** A wait this much above the baseline's mean is not worth a failure: a machine may stand still for 100 ms at any time. */
const immaterialWaitMs = 100;
const immaterialWaitShare = 0.25;
/** Fewer runs say nothing of how waits vary from run to run. */
const leastRunsForWaits = 3;
/** Waits are compared only where the machine was not this much busier (percentage points of CPU pressure). */
const busierPercent = 10;

const waits = ['longestWaitMs', 'directLongestWaitMs', 'gapMs'] as const;
const writeFaults = ['lost', 'duplicated', 'misattributed'] as const;

/** What the comparison may assume. */
export interface Comparison {
  readonly entry: Entry;
  readonly baseline: Baseline;
  readonly now: RunFigures;
  /** A probability below this is significant: it is corrected for all comparisons of the gate. */
  readonly significantBelow: number;
  /** Another machine or kernel than the baseline's: then waits, and drops caused by them, cannot fail the gate. */
  readonly isOtherMachine: boolean;
}

/** How many comparisons a baseline leads to, whatever is measured: what the significance is corrected for. */
export function comparisonsOf({ runs }: Baseline): number {
  const { restarts, perRestart, writes, stale } = comparable(runs);
  const ofWaits = waits.filter((wait) => valuesOf(runs, wait).length >= leastRunsForWaits).length;
  return Number(restarts) + Number(perRestart) + Number(stale) + (writes ? writeFaults.length : 0) + ofWaits;
}

/** What a baseline has figures of. */
function comparable(runs: readonly RunFigures[]) {
  return {
    restarts: runs.some(({ restarts }) => restarts > 0),
    perRestart: runs.some(({ perRestart }) => perRestart.length > 0),
    writes: runs.some(({ writes }) => writes !== null),
    stale: runs.some(({ stale }) => stale !== null),
  };
}

/** Every comparison, in a fixed order. */
export function compareWithBaseline(comparison: Comparison): Check[] {
  const { restarts, perRestart, writes, stale } = comparable(comparison.baseline.runs);
  return [
    ...(restarts ? [badRestartsCheck(comparison)] : []),
    ...(perRestart ? [droppedCheck(comparison)] : []),
    ...(stale ? [eventsCheck(comparison, 'stale', ({ stale, due }) => seenOf(stale, due))] : []),
    ...(writes ? writeFaults : []).map((fault) =>
      eventsCheck(comparison, fault, (run) => seenOf(run.writes?.[fault] ?? null, run.writes?.sent ?? 0)),
    ),
    ...waits.flatMap((wait) => waitCheck(comparison, wait)),
  ];
}

/** Of what is not known nothing was seen. */
function seenOf(events: number | null, exposure: number): { events: number; exposure: number } {
  return events === null ? { events: 0, exposure: 0 } : { events, exposure };
}

/** An experiment that must drop something gets worse by dropping less, too: its mechanism is another then. */
function sidesOf({ budgets }: Entry): Sides {
  const isTwoSided = budgets.some(
    ({ figure, min, all, withinPercentOfPrediction }) =>
      (figure === 'badRestarts' || figure === 'dropped') &&
      ((min ?? 0) > 0 || all === true || withinPercentOfPrediction !== undefined),
  );
  return isTwoSided ? 'other' : 'more';
}

function badRestartsCheck(comparison: Comparison): Check {
  const { entry, baseline, now, significantBelow } = comparison;
  const before = {
    bad: sumOf(baseline.runs, (run) => run.badRestarts),
    all: sumOf(baseline.runs, (run) => run.restarts),
  };
  const p = fisherExact({ bad: now.badRestarts, all: now.restarts }, before, sidesOf(entry));
  return checkOf(comparison, 'badRestarts', {
    measured: `${now.badRestarts} of ${now.restarts}`,
    allowed: `as the baseline’s ${before.bad} of ${before.all} (Fisher’s exact test, ${pText(p, significantBelow)})`,
    outcome: now.restarts === 0 ? 'not-compared' : p < significantBelow ? 'missed' : 'met',
  });
}

function droppedCheck(comparison: Comparison): Check {
  const { entry, baseline, now, significantBelow, isOtherMachine } = comparison;
  const before = baseline.runs.flatMap(({ perRestart }) => perRestart);
  // Where it is known what a restart must drop, that is taken away first: a window differs from restart to restart.
  const isPredicted = [...before, ...now.perRestart].every(({ predicted }) => predicted !== null);
  const dropped = (restarts: RunFigures['perRestart']): number[] => restarts.map((restart) => restart.dropped);
  const beyond = (restarts: RunFigures['perRestart']): number[] =>
    restarts.map(({ dropped: count, predicted }) => (isPredicted ? Math.round(count - (predicted ?? 0)) : count));
  const p = permutationTest(beyond(now.perRestart), beyond(before), sidesOf(entry));
  const [droppedNow, droppedBefore] = [mean(dropped(now.perRestart)), mean(dropped(before))];
  const [beyondNow, beyondBefore] = [mean(beyond(now.perRestart)), mean(beyond(before))];
  const isMaterial = Math.abs(beyondNow - beyondBefore) > immaterialShare * droppedBefore;
  return checkOf(comparison, 'dropped', {
    measured: `${droppedNow.toFixed(1)} a restart${isPredicted ? ` (${signed(beyondNow)} beyond what is predicted)` : ''}`,
    allowed:
      `as the baseline’s ${droppedBefore.toFixed(1)} a restart${isPredicted ? ` (${signed(beyondBefore)})` : ''}, give or take ` +
      `${immaterialShare * 100} % (exact permutation test over restarts, ${pText(p, significantBelow)})`,
    outcome: now.perRestart.length === 0 ? 'not-compared' : p < significantBelow && isMaterial ? 'missed' : 'met',
    blocking: !isOtherMachine || droppedBefore === 0,
  });
}

function eventsCheck(
  comparison: Comparison,
  figure: FigureName,
  of: (run: RunFigures) => { events: number; exposure: number },
): Check {
  const { baseline, now, significantBelow } = comparison;
  const all = baseline.runs.map(of);
  const before = { events: sumOf(all, (one) => one.events), exposure: sumOf(all, (one) => one.exposure) };
  const seen = of(now);
  const p = conditionalBinomial(seen, before, 'more');
  return checkOf(comparison, figure, {
    measured: seen.exposure === 0 ? 'not known' : `${seen.events} of ${seen.exposure}`,
    allowed: `as the baseline’s ${before.events} of ${before.exposure} (conditional binomial test, ${pText(p, significantBelow)})`,
    outcome: seen.exposure === 0 || before.exposure === 0 ? 'not-compared' : p < significantBelow ? 'missed' : 'met',
  });
}

function waitCheck(comparison: Comparison, figure: (typeof waits)[number]): Check[] {
  const { baseline, now, significantBelow, isOtherMachine } = comparison;
  const before = valuesOf(baseline.runs, figure);
  const value = now[figure];
  if (before.length === 0 || value === null) return [];
  const whyNot = whyWaitsAreNotCompared(before.length, baseline.runs, now);
  const meanMs = mean(before);
  const limitMs = Math.max(
    predictionLimit(before, significantBelow) ?? 0,
    meanMs + Math.max(immaterialWaitMs, immaterialWaitShare * meanMs),
  );
  const values = before.map((ms) => ms.toFixed(0)).join(', ');
  return [
    checkOf(comparison, figure, {
      measured: `${value.toFixed(0)} ms`,
      allowed:
        whyNot === null
          ? `at most ${limitMs.toFixed(0)} ms (the baseline’s ${before.length} runs: ${values} ms)`
          : `not compared: ${whyNot}`,
      outcome: whyNot !== null ? 'not-compared' : value > limitMs ? 'missed' : 'met',
      blocking: !isOtherMachine,
    }),
  ];
}

function whyWaitsAreNotCompared(count: number, before: readonly RunFigures[], now: RunFigures): string | null {
  if (count < leastRunsForWaits) return `the baseline has ${count} runs, and ${leastRunsForWaits} are needed`;
  const busiest = Math.max(0, ...before.map(({ cpuPressurePercent }) => cpuPressurePercent ?? 0));
  const percent = now.cpuPressurePercent ?? 0;
  if (percent <= busiest + busierPercent) return null;
  return `some process waited for a CPU during ${percent} % of the run, in the baseline ${busiest} % at most`;
}

function checkOf(
  { entry, now }: Comparison,
  figure: FigureName,
  answer: Pick<Check, 'measured' | 'allowed' | 'outcome'> & Partial<Pick<Check, 'blocking'>>,
): Check {
  return {
    kind: 'regression',
    what: figures[figure].what,
    runId: now.runId,
    because: 'no worse than the accepted baseline',
    // At the figure's own budget, where it has one.
    line: entry.budgets.find((budget) => budget.figure === figure)?.line ?? entry.line,
    blocking: true,
    ...answer,
  };
}

function valuesOf(runs: readonly RunFigures[], figure: (typeof waits)[number]): number[] {
  return runs.map((run) => run[figure]).filter((value) => value !== null);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}

function pText(p: number, significantBelow: number): string {
  return `p ${p < 0.0001 ? p.toExponential(1) : p.toFixed(4)}, significant below ${significantBelow.toExponential(1)}`;
}
