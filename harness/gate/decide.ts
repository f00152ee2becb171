/**
 * The decision of a gate. Pure: what was asked, the runs that were found, budgets and baselines; the order is that of the
 * budgets file, so that wherever the runs were made the same ones give the same bytes.
 */
import type { Verdict } from '../verdict/verdict.ts';
import { figuresOf, type Baseline } from './baseline.ts';
import { checkBudget } from './budget-check.ts';
import type { Entry } from './budgets.ts';
import { causesOf, causesOfDrops } from './causes.ts';
import { conditionsOf, differences, differInLoad, fingerprintDifference } from './conditions.ts';
import { figures } from './figures.ts';
import { failures, type Check, type EntryResult, type GateResult, type Try } from './gate-result.ts';
import { comparisonsOf, compareWithBaseline } from './regression.ts';
import { standingChecks } from './standing.ts';
import type { ExperimentRun, RunRecord } from '../run/run-record.ts';

/** A try to measure an entry. */
export type Attempt =
  | { readonly kind: 'run'; readonly verdict: Verdict; readonly run: RunRecord }
  /** The site never served in the lab: there is no run, and that is what came of it. */
  | { readonly kind: 'not-ready'; readonly message: string }
  /** The harness itself failed before there was anything to keep. */
  | { readonly kind: 'broken'; readonly message: string };

/** All that a decision depends on. */
export interface Decision {
  /** The budgets file, as its reader knows it. */
  readonly file: string | null;
  readonly alpha: number;
  readonly entries: readonly Entry[];
  /** Names of the entries that were to be measured; the others are named, and not judged. */
  readonly asked: ReadonlySet<string>;
  /** What was set beside the budgets file. */
  readonly options?: readonly string[];
  /** Of each entry its tries, in their order. */
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  readonly baselines: ReadonlyMap<string, Baseline>;
}

/** Decides. */
export function decide({ file, alpha, entries, asked, options = [], attempts, baselines }: Decision): GateResult {
  // Of the whole file, whatever part of it is here: a part and the whole must judge an entry alike.
  const comparisons = entries.reduce((total, { name }) => {
    const baseline = baselines.get(name);
    return total + (baseline === undefined ? 0 : comparisonsOf(baseline));
  }, 0);
  const significantBelow = comparisons === 0 ? null : alpha / comparisons;
  const results = entries
    .filter(({ name }) => asked.has(name))
    .map((entry) => {
      const baseline = baselines.get(entry.name);
      return entryResult(entry, attempts.get(entry.name) ?? [], baseline, significantBelow ?? 0);
    });
  const states = new Set(
    [...attempts.values()]
      .flat()
      .flatMap((attempt) => (attempt.kind === 'run' ? [attempt.run.fingerprint['sources']] : [])),
  );
  states.delete(undefined);
  const notes =
    states.size > 1
      ? [
          `The runs are of ${states.size} states of the project (${[...states].sort().join(', ')}): they are no one gate.`,
        ]
      : [];
  const blocking = results.filter((result) => result.blocking).map(({ verdict }) => verdict);
  const isUnsure = blocking.includes('inconclusive') || notes.length > 0 || results.length === 0;
  return {
    schema: 1,
    verdict: blocking.includes('fail') ? 'fail' : isUnsure ? 'inconclusive' : 'pass',
    budgets: file,
    options,
    alpha,
    comparisons,
    significantBelow,
    notes,
    entries: results,
    notAsked: entries.filter(({ name }) => !asked.has(name)).map(({ name }) => name),
  };
}

type Run = Extract<Attempt, { kind: 'run' }>;

function tryOf(attempt: Attempt, number: number): Try {
  if (attempt.kind !== 'run') {
    const why = firstLine(attempt.message);
    return { number, verdict: attempt.kind, runId: null, dropped: null, due: null, why, citation: null };
  }
  const { verdict, runId, dropped, due, reasons, citation } = attempt.verdict;
  return { number, verdict, runId, dropped, due, why: reasons[0] ?? null, citation };
}

function entryResult(
  entry: Entry,
  attempts: readonly Attempt[],
  baseline: Baseline | undefined,
  significantBelow: number,
): EntryResult {
  const { name, line, blocking } = entry;
  const runs = attempts.flatMap((attempt, index) => (attempt.kind === 'run' ? { ...attempt, number: index + 1 } : []));
  const conclusive = runs.filter(({ verdict: { verdict } }) => verdict === 'pass' || verdict === 'fail');
  const unsure = runs.filter((run) => !conclusive.includes(run));
  const without = attempts.filter((attempt) => attempt.kind !== 'run');
  const neverServed = without.length === attempts.length && without.every(({ kind }) => kind === 'not-ready');
  const notes: string[] = [];
  const checks: Check[] = [];
  const causes: string[] = [];
  const about = { runId: null, allowed: 'a run that can be trusted', blocking: true, because: entry.because, line };
  if (attempts.length === 0) {
    checks.push({ ...about, kind: 'run', what: 'run', measured: 'none', outcome: 'not-compared' });
  } else if (neverServed) {
    const measured = `the site never served, in ${attempts.length} ${attempts.length === 1 ? 'try' : 'tries'}`;
    checks.push({ ...about, kind: 'run', what: 'run', measured, outcome: 'missed' });
    causes.push(without.at(-1)?.message ?? '');
  } else if (conclusive.length === 0) {
    const measured = `inconclusive, ${attempts.length === 1 ? 'once' : `${attempts.length} times`}`;
    checks.push({ ...about, kind: 'run', what: 'run', measured, outcome: 'not-compared' });
    checks.push(...missedByKernel(entry, unsure, attempts.length));
    causes.push(...without.map(({ message }) => message));
    for (const { verdict } of unsure) {
      causes.push(...verdict.reasons.map((reason) => `${verdict.runId}: ${reason}`));
      const over = entry.budgets
        .map((budget) => checkBudget(budget, verdict))
        .filter(({ outcome }) => outcome === 'missed');
      causes.push(
        ...over.map(
          ({ what, measured: was, allowed }) =>
            `${verdict.runId}, were it to be trusted: ${what} ${was}; allowed ${allowed}`,
        ),
        ...(over.length > 0 ? causesOfDrops(verdict) : []),
      );
    }
  } else {
    for (const { verdict } of unsure) {
      notes.push(`repeated: ${verdict.runId} was ${verdict.verdict}: ${verdict.reasons.join(' ')}`);
    }
    for (const { message } of without) notes.push(`repeated: ${firstLine(message)}`);
  }
  for (const run of conclusive) {
    const runChecks = checksOf(entry, run, baseline, { significantBelow, notes });
    checks.push(...runChecks);
    if (failures({ checks: runChecks }).length > 0) causes.push(...causesOf(run.verdict));
  }
  for (const run of unsure) {
    const standing = standingChecks(entry, run);
    checks.push(...standing);
    if (conclusive.length > 0 && standing.length > 0) causes.push(...causesOfDrops(run.verdict));
  }
  const failed = failures({ checks }).length > 0;
  return {
    name,
    line,
    blocking,
    verdict: failed ? 'fail' : conclusive.length === 0 ? 'inconclusive' : 'pass',
    tries: attempts.map((attempt, index) => tryOf(attempt, index + 1)),
    checks,
    causes: [...new Set(causes)],
    notes,
  };
}

/**
 * What fails although no try can be trusted as a whole: a figure that the kernel counted, missed in every try. A load
 * that was late says nothing of which requests a server loses; that connections found a queue full is so all the same.
 */
function missedByKernel({ budgets }: Entry, runs: readonly Run[], tries: number): Check[] {
  if (runs.length < tries) return [];
  return budgets
    .filter(({ figure }) => figures[figure].byKernel === true)
    .map((budget) => runs.map(({ verdict }) => checkBudget(budget, verdict)))
    .filter((checks) => checks.every(({ outcome, measured }) => outcome === 'missed' && measured !== 'not measured'))
    .flat();
}

function checksOf(
  entry: Entry,
  { verdict, run }: Run,
  baseline: Baseline | undefined,
  { significantBelow, notes }: { significantBelow: number; notes: string[] },
): Check[] {
  const own: Check = {
    kind: 'verdict',
    what: 'verdict of the run',
    runId: verdict.runId,
    measured: verdict.verdict,
    allowed: 'pass',
    outcome: verdict.verdict === 'pass' ? 'met' : 'missed',
    blocking: true,
    because: run.kind === 'experiment' ? 'the experiment’s own expectations' : 'what was asked of the service',
    line: entry.line,
  };
  const checks = [own, ...entry.budgets.map((budget) => checkBudget(budget, verdict))];
  if (run.kind !== 'experiment') return checks;
  if (verdict.controls === null) notes.push(`${verdict.runId} was made without controls: it is not for citing.`);
  if (baseline === undefined) {
    notes.push('there is no baseline: `npm run baseline -- accept RUN` makes one of a run');
    return checks;
  }
  return [...checks, ...regressionChecks(entry, { verdict, run }, baseline, { significantBelow, notes })];
}

function regressionChecks(
  entry: Entry,
  { verdict, run }: { verdict: Verdict; run: ExperimentRun },
  baseline: Baseline,
  { significantBelow, notes }: { significantBelow: number; notes: string[] },
): Check[] {
  const asked = differences(baseline.conditions, conditionsOf(run.experiment));
  const cannot = differInLoad(asked);
  if (asked.length > 0) {
    notes.push(
      `the baseline was asked otherwise: ${asked.join(', ')}${cannot ? '; so it is not compared with it' : ''}`,
    );
  }
  if (cannot) return [];
  const { changes, otherMachine } = fingerprintDifference(
    baseline.runs.map(({ fingerprint }) => fingerprint),
    run.fingerprint,
  );
  if (changes.length > 0) {
    const then = otherMachine ? '; waits, and drops that follow them, are compared for information only' : '';
    notes.push(`the baseline is of another lab: ${changes.join(', ')}${then}`);
  }
  const now = figuresOf({ verdict, run });
  return compareWithBaseline({ entry, baseline, now, significantBelow, otherMachine });
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
