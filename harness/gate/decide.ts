/**
 * The decision of a gate. Pure: what was asked, the runs that were found, budgets and baselines; the order is that of the
 * budgets file, so the same runs give the same bytes wherever they were made.
 */
import { counted } from '../base/counted.ts';
import type { ExperimentRun, RunRecord } from '../run/run-record.ts';
import { isConclusive, type Verdict } from '../verdict/record/verdict.ts';
import { figuresOf, type Baseline } from './baseline.ts';
import { checkBudget } from './budget-check.ts';
import { defaultAlpha, type Entry } from './files/budgets.ts';
import { causesOf, causesOfDrops } from './causes.ts';
import { changeText, conditionsOf, differInLoad, fingerprintDifference } from './conditions.ts';
import { differences } from '../experiment/differences.ts';
import { figures } from './figures.ts';
import { failures, type Check, type EntryResult, type GateResult, type Try } from './gate-result.ts';
import { compareWithBaseline, comparisonsOf } from './regression.ts';
import { standingChecks } from './standing.ts';

/** A try to measure an entry. */
export type Attempt =
  | { readonly kind: 'run'; readonly verdict: Verdict; readonly run: RunRecord }
  /** There is no run: the site never served in the lab, or the harness itself failed before there was anything to keep. */
  | { readonly kind: 'not-ready' | 'broken'; readonly message: string };

/** All that a decision depends on. */
export interface Decision {
  /** The budgets file, as its reader knows it. */
  readonly file: string | null;
  readonly alpha?: number;
  readonly entries: readonly Entry[];
  /** Names of the entries that were to be measured; the others are named, and not judged. */
  readonly asked: ReadonlySet<string>;
  /** What was set beside the budgets file. */
  readonly options?: readonly string[];
  /** The tries of each entry, in their order. */
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  /** None: no comparison is made. */
  readonly baselines?: ReadonlyMap<string, Baseline>;
}

/** Decides. */
export function decide(decision: Decision): GateResult {
  const { file, alpha = defaultAlpha, entries, asked, options = [], attempts } = decision;
  const { baselines = new Map<string, Baseline>() } = decision;
  // All entries of the file count, whatever part of it is here: a part and the whole must judge an entry alike.
  const compared = entries.flatMap(({ name }) => baselines.get(name) ?? []);
  const comparisons = compared.reduce((total, baseline) => total + comparisonsOf(baseline), 0);
  const significantBelow = comparisons === 0 ? null : alpha / comparisons;
  const results = entries
    .filter(({ name }) => asked.has(name))
    .map((entry) => {
      const comparison = { baseline: baselines.get(entry.name), significantBelow: significantBelow ?? 0 };
      return entryResult(entry, attempts.get(entry.name) ?? [], comparison);
    });
  const notes = severalStates([...attempts.values()].flat());
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

function severalStates(attempts: readonly Attempt[]): string[] {
  const runs = attempts.filter((attempt) => attempt.kind === 'run');
  const states = new Set(runs.flatMap(({ run }) => run.fingerprint['sources'] ?? []));
  const names = [...states].sort().join(', ');
  return states.size <= 1
    ? []
    : [`The runs are of ${states.size} states of the project (${names}): they are no one gate.`];
}

type Run = Extract<Attempt, { kind: 'run' }> & { readonly number: number };

/** What is compared, and below which probability a difference is significant. */
interface Against {
  readonly baseline: Baseline | undefined;
  readonly significantBelow: number;
}

/** What one question about an entry gives. */
type Found = Pick<EntryResult, 'checks' | 'causes' | 'notes'>;

/** An entry's tries by what they say. */
interface Tries {
  readonly conclusive: readonly Run[];
  readonly unsure: readonly Run[];
  /** Tries that left no run. */
  readonly failed: readonly Exclude<Attempt, { kind: 'run' }>[];
}

function entryResult(entry: Entry, attempts: readonly Attempt[], against: Against): EntryResult {
  const runs = attempts.flatMap((attempt, index) => (attempt.kind === 'run' ? { ...attempt, number: index + 1 } : []));
  const tries: Tries = {
    conclusive: runs.filter(({ verdict }) => isConclusive(verdict)),
    unsure: runs.filter(({ verdict }) => !isConclusive(verdict)),
    failed: attempts.filter((attempt) => attempt.kind !== 'run'),
  };
  const isAnswered = tries.conclusive.length > 0;
  const found = [
    isAnswered ? repeated(tries) : unanswered(entry, tries),
    ...tries.conclusive.map((run) => judged(entry, run, against)),
    ...tries.unsure.map((run): Found => {
      const checks = standingChecks(entry, run);
      return { checks, causes: isAnswered && checks.length > 0 ? causesOfDrops(run.verdict) : [], notes: [] };
    }),
  ];
  const checks = found.flatMap((each) => each.checks);
  const hasFailed = failures({ checks }).length > 0;
  return {
    name: entry.name,
    line: entry.line,
    blocking: entry.blocking,
    verdict: hasFailed ? 'fail' : isAnswered ? 'pass' : 'inconclusive',
    tries: attempts.map((attempt, index) => tryOf(attempt, index + 1)),
    checks,
    causes: [...new Set(found.flatMap(({ causes }) => causes))],
    notes: found.flatMap(({ notes }) => notes),
  };
}

function tryOf(attempt: Attempt, number: number): Try {
  if (attempt.kind !== 'run') {
    const why = firstLine(attempt.message);
    return { number, verdict: attempt.kind, runId: null, dropped: null, due: null, why, citation: null };
  }
  const { verdict, runId, dropped, due, reasons, citation } = attempt.verdict;
  return { number, verdict, runId, dropped, due, why: reasons[0] ?? null, citation };
}

/** The tries before one that can be trusted. */
function repeated({ unsure, failed }: Tries): Found {
  const notes = [
    ...unsure.map(({ verdict }) => `${verdict.runId} was ${verdict.verdict}: ${verdict.reasons.join(' ')}`),
    ...failed.map(({ message }) => firstLine(message)),
  ];
  return { checks: [], causes: [], notes: notes.map((note) => `repeated: ${note}`) };
}

/** An entry without a run that can be trusted. */
function unanswered(entry: Entry, { unsure, failed }: Tries): Found {
  const tries = unsure.length + failed.length;
  const check = (measured: string, outcome: Check['outcome']): Check => ({
    kind: 'run',
    what: 'run',
    runId: null,
    measured,
    allowed: 'a run that can be trusted',
    outcome,
    blocking: true,
    because: entry.because,
    line: entry.line,
  });
  if (tries === 0) return { checks: [check('none', 'not-compared')], causes: [], notes: [] };
  if (unsure.length === 0 && failed.every(({ kind }) => kind === 'not-ready')) {
    const measured = `the site never served, in ${counted(tries, 'try', 'tries')}`;
    return { checks: [check(measured, 'missed')], causes: [failed.at(-1)?.message ?? ''], notes: [] };
  }
  const measured = `inconclusive, ${tries === 1 ? 'once' : `${tries} times`}`;
  return {
    checks: [check(measured, 'not-compared'), ...(failed.length === 0 ? missedByKernel(entry, unsure) : [])],
    causes: [
      ...failed.map(({ message }) => message),
      ...unsure.flatMap(({ verdict }) => doubtfulCauses(entry, verdict)),
    ],
    notes: [],
  };
}

/** Why a run cannot be trusted, and what it would have missed. */
function doubtfulCauses({ budgets }: Entry, verdict: Verdict): string[] {
  const { runId, reasons } = verdict;
  const missed = budgets.map((budget) => checkBudget(budget, verdict)).filter(({ outcome }) => outcome === 'missed');
  return [
    ...reasons.map((reason) => `${runId}: ${reason}`),
    ...missed.map(
      ({ what, measured, allowed }) => `${runId}, were it to be trusted: ${what} ${measured}; allowed ${allowed}`,
    ),
    ...(missed.length > 0 ? causesOfDrops(verdict) : []),
  ];
}

/**
 * What fails although no try can be trusted as a whole: a figure that the kernel counted, missed in every try. A load
 * that was late does not tell which requests a server loses; a full queue that the kernel counted was full all the same.
 */
function missedByKernel({ budgets }: Entry, runs: readonly Run[]): Check[] {
  return budgets
    .filter(({ figure }) => figures[figure].byKernel === true)
    .map((budget) => runs.map(({ verdict }) => checkBudget(budget, verdict)))
    .filter((checks) => checks.every(({ outcome, measured }) => outcome === 'missed' && measured !== 'not measured'))
    .flat();
}

const ownLimits =
  'the line of the run says pass by its own limits (drops, gap, wait and cuts); the gate fails by the other budgets';

/** A run that can be trusted: its own verdict, the budgets, and the baseline. */
function judged(entry: Entry, { verdict, run }: Run, against: Against): Found {
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
  const compared = run.kind === 'experiment' ? comparedWithBaseline(entry, verdict, run, against) : null;
  const checks = [own, ...entry.budgets.map((budget) => checkBudget(budget, verdict)), ...(compared?.checks ?? [])];
  const hasFailed = failures({ checks }).length > 0;
  // A budget of bad restarts is no option of `measure`.
  const isJudgedOtherwise = run.kind === 'measure' && verdict.verdict === 'pass' && hasFailed;
  return {
    checks,
    causes: hasFailed ? causesOf(verdict) : [],
    notes: isJudgedOtherwise ? [ownLimits] : (compared?.notes ?? []),
  };
}

function comparedWithBaseline(
  entry: Entry,
  verdict: Verdict,
  run: ExperimentRun,
  { baseline, significantBelow }: Against,
): Pick<Found, 'checks' | 'notes'> {
  const notes = verdict.controls === null ? [`${verdict.runId} was made without controls: it is not for citing.`] : [];
  if (baseline === undefined) {
    notes.push('there is no baseline: the command `baseline accept RUN` makes one of a run');
    return { checks: [], notes };
  }
  const asked = differences(baseline.conditions, conditionsOf(run.experiment));
  const isOtherLoad = differInLoad(asked);
  if (asked.length > 0) {
    const then = isOtherLoad ? '; so it is not compared with it' : '';
    notes.push(`the baseline was asked otherwise: ${asked.map(changeText).join(', ')}${then}`);
  }
  if (isOtherLoad) return { checks: [], notes };
  const { changes, isOtherMachine } = fingerprintDifference(
    baseline.runs.map(({ fingerprint }) => fingerprint),
    run.fingerprint,
  );
  if (changes.length > 0) {
    const then = isOtherMachine ? '; waits, and drops that follow them, are compared for information only' : '';
    notes.push(`the baseline is of another lab: ${changes.map(changeText).join(', ')}${then}`);
  }
  const now = figuresOf({ verdict, run });
  return { checks: compareWithBaseline({ entry, baseline, now, significantBelow, isOtherMachine }), notes };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
