/** A run against its baseline: exact tests on counts, intervals on waits. Pure. */
import type { Entry } from './budgets.ts';
import type { Baseline, RunFigures } from './baseline.ts';
import { conditionalBinomial, fisherExact, permutationTest, predictionLimit, type Sides } from '../base/exact-tests.ts';
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
  /** Another machine or kernel than the baseline's: waits, and drops that follow them, then inform only. */
  readonly otherMachine: boolean;
}

/** How many comparisons a baseline leads to, whatever is measured: what the significance is corrected for. */
export function comparisonsOf({ runs }: Baseline): number {
  const counts = [
    runs.some(({ restarts }) => restarts > 0),
    runs.some(({ perRestart }) => perRestart.length > 0),
    true,
    ...writeFaults.map(() => runs.some(({ writes }) => writes !== null)),
  ];
  const ofWaits = waits.map((wait) => valuesOf(runs, wait).length >= leastRunsForWaits);
  return [...counts, ...ofWaits].filter(Boolean).length;
}

/** Every comparison, in a fixed order. */
export function compareWithBaseline(comparison: Comparison): Check[] {
  const { baseline } = comparison;
  const checks: Check[] = [];
  if (baseline.runs.some(({ restarts }) => restarts > 0)) checks.push(badRestartsCheck(comparison));
  if (baseline.runs.some(({ perRestart }) => perRestart.length > 0)) checks.push(droppedCheck(comparison));
  checks.push(eventsCheck(comparison, 'stale', ({ stale, due }) => ({ events: stale, exposure: due })));
  for (const fault of writeFaults) {
    if (!baseline.runs.some(({ writes }) => writes !== null)) continue;
    checks.push(
      eventsCheck(comparison, fault, ({ writes }) => ({ events: writes?.[fault] ?? 0, exposure: writes?.sent ?? 0 })),
    );
  }
  for (const wait of waits) checks.push(...waitCheck(comparison, wait));
  return checks;
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
  const before = { bad: sum(baseline.runs, 'badRestarts'), all: sum(baseline.runs, 'restarts') };
  const p = fisherExact({ bad: now.badRestarts, all: now.restarts }, before, sidesOf(entry));
  return checkOf(comparison, 'badRestarts', {
    measured: `${now.badRestarts} of ${now.restarts}`,
    allowed: `as the baseline’s ${before.bad} of ${before.all} (Fisher’s exact test, ${pText(p, significantBelow)})`,
    outcome: now.restarts === 0 ? 'not-compared' : p < significantBelow ? 'missed' : 'met',
    blocking: true,
  });
}

function droppedCheck(comparison: Comparison): Check {
  const { entry, baseline, now, significantBelow, otherMachine } = comparison;
  const before = baseline.runs.flatMap(({ perRestart }) => perRestart);
  const dropped = (restarts: RunFigures['perRestart']): number[] => restarts.map((restart) => restart.dropped);
  // Where it is known what a restart must drop, that is taken away first: a window differs from restart to restart.
  const isPredicted = [...before, ...now.perRestart].every(({ predicted }) => predicted !== null);
  const beyond = (restarts: RunFigures['perRestart']): number[] =>
    isPredicted
      ? restarts.map(({ dropped: count, predicted }) => Math.round(count - (predicted ?? 0)))
      : dropped(restarts);
  const p = permutationTest(beyond(now.perRestart), beyond(before), sidesOf(entry));
  const [meanNow, meanBefore] = [mean(beyond(now.perRestart)), mean(beyond(before))];
  const isMaterial = Math.abs(meanNow - meanBefore) > immaterialShare * mean(dropped(before));
  return checkOf(comparison, 'dropped', {
    measured: `${mean(dropped(now.perRestart)).toFixed(1)} a restart${isPredicted ? ` (${signed(meanNow)} beyond what is predicted)` : ''}`,
    allowed:
      `as the baseline’s ${mean(dropped(before)).toFixed(1)} a restart` +
      `${isPredicted ? ` (${signed(meanBefore)})` : ''}, give or take ${immaterialShare * 100} % (exact permutation test ` +
      `over restarts, ${pText(p, significantBelow)})`,
    outcome: now.perRestart.length === 0 ? 'not-compared' : p < significantBelow && isMaterial ? 'missed' : 'met',
    blocking: !otherMachine || mean(dropped(before)) === 0,
  });
}

function eventsCheck(
  comparison: Comparison,
  figure: FigureName,
  of: (run: RunFigures) => { events: number; exposure: number },
): Check {
  const { baseline, now, significantBelow } = comparison;
  const before = baseline.runs.map(of);
  const [events, exposure] = [
    before.reduce((total, each) => total + each.events, 0),
    before.reduce((total, each) => total + each.exposure, 0),
  ];
  const seen = of(now);
  const p = conditionalBinomial(seen, { events, exposure }, 'more');
  return checkOf(comparison, figure, {
    measured: `${seen.events} of ${seen.exposure}`,
    allowed: `as the baseline’s ${events} of ${exposure} (conditional binomial test, ${pText(p, significantBelow)})`,
    outcome: seen.exposure === 0 ? 'not-compared' : p < significantBelow ? 'missed' : 'met',
    blocking: true,
  });
}

function waitCheck(comparison: Comparison, figure: (typeof waits)[number]): Check[] {
  const { baseline, now, significantBelow, otherMachine } = comparison;
  const before = valuesOf(baseline.runs, figure);
  const value = now[figure];
  if (before.length === 0 || value === null) return [];
  const common = { measured: `${value.toFixed(0)} ms`, blocking: !otherMachine };
  const notCompared = (why: string): Check[] => [
    checkOf(comparison, figure, { ...common, allowed: `not compared: ${why}`, outcome: 'not-compared' }),
  ];
  if (before.length < leastRunsForWaits) {
    return notCompared(`the baseline has ${before.length} runs, and ${leastRunsForWaits} are needed`);
  }
  const pressures = baseline.runs.map(({ cpuPressurePercent }) => cpuPressurePercent).filter((share) => share !== null);
  const busiest = Math.max(0, ...pressures);
  if (now.cpuPressurePercent !== null && now.cpuPressurePercent > busiest + busierPercent) {
    return notCompared(
      `some process waited for a CPU during ${now.cpuPressurePercent} % of the run, in the baseline ${busiest} % at most`,
    );
  }
  const meanMs = mean(before);
  const limitMs = Math.max(
    predictionLimit(before, significantBelow) ?? 0,
    meanMs + Math.max(immaterialWaitMs, immaterialWaitShare * meanMs),
  );
  return [
    checkOf(comparison, figure, {
      ...common,
      allowed: `at most ${limitMs.toFixed(0)} ms (the baseline’s ${before.length} runs: ${before.map((ms) => ms.toFixed(0)).join(', ')} ms)`,
      outcome: value > limitMs ? 'missed' : 'met',
    }),
  ];
}

function checkOf(
  { entry, now }: Comparison,
  figure: FigureName,
  answer: Pick<Check, 'measured' | 'allowed' | 'outcome' | 'blocking'>,
): Check {
  return {
    kind: 'regression',
    what: figures[figure].what,
    runId: now.runId,
    because: 'no worse than the accepted baseline',
    // At the figure's own budget, where it has one.
    line: entry.budgets.find((budget) => budget.figure === figure)?.line ?? entry.line,
    ...answer,
  };
}

function valuesOf(runs: readonly RunFigures[], figure: (typeof waits)[number]): number[] {
  return runs.map((run) => run[figure]).filter((value) => value !== null);
}

function sum(runs: readonly RunFigures[], figure: 'badRestarts' | 'restarts'): number {
  return runs.reduce((total, run) => total + run[figure], 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((total, value) => total + value, 0) / values.length;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}

function pText(p: number, significantBelow: number): string {
  return `p ${p < 0.0001 ? p.toExponential(1) : p.toFixed(4)}, significant below ${significantBelow.toExponential(1)}`;
}
