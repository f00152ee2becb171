/** What came of a gate: gate.json. No clock and no place is part of it: the same runs give the same bytes. */

/** One question that was put to a run, and its answer. */
export interface Check {
  /**
   * `run`: could it be measured at all; `verdict`: the run's own; `budget`: of the file; `regression`: against the
   * baseline.
   */
  readonly kind: 'run' | 'verdict' | 'budget' | 'regression';
  /** The figure, in words. */
  readonly what: string;
  readonly runId: string | null;
  readonly measured: string;
  readonly allowed: string;
  readonly outcome: 'met' | 'missed' | 'not-compared';
  /** False: reported, and fails nothing. */
  readonly blocking: boolean;
  readonly because: string;
  /** The line of the budgets file that it belongs to. */
  readonly line: number;
}

/** One try to measure an entry. */
export interface Try {
  /** From 1, in the order in which they were made. */
  readonly number: number;
  /** The run's own verdict; `not-ready`: the site never served; `broken`: the harness failed before there was a run. */
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'aborted' | 'not-ready' | 'broken';
  readonly runId: string | null;
  readonly dropped: number | null;
  readonly due: number | null;
  /** Why it is no pass, in a sentence; null where it is one. */
  readonly why: string | null;
  readonly citation: string | null;
}

/** What came of one entry of the budgets file. */
export interface EntryResult {
  readonly name: string;
  readonly line: number;
  readonly blocking: boolean;
  readonly verdict: GateVerdict;
  /** Every try, those that were repeated included. */
  readonly tries: readonly Try[];
  readonly checks: readonly Check[];
  /** Of a failed one: what the witnesses and the timeline say of it. */
  readonly causes: readonly string[];
  /** What a reader has to know, and what fails nothing. */
  readonly notes: readonly string[];
}

/** pass: all that blocks was met; inconclusive: nothing failed, and something could not be told. */
type GateVerdict = 'pass' | 'fail' | 'inconclusive';

/** gate.json. */
export interface GateResult {
  readonly schema: 1;
  readonly verdict: GateVerdict;
  /** The budgets file; null where an option is the only budget. */
  readonly budgets: string | null;
  /** What was set beside the budgets file, as options: `--rate 100`. */
  readonly options: readonly string[];
  /** Comparisons with the baselines, and the probability below which one is significant: alpha / comparisons. */
  readonly alpha: number;
  readonly comparisons: number;
  readonly significantBelow: number | null;
  /** Of the gate as a whole. */
  readonly notes: readonly string[];
  readonly entries: readonly EntryResult[];
  /** Entries of the file that were not asked for. */
  readonly notAsked: readonly string[];
}

/** Checks that fail the gate. */
export function failures({ checks }: Pick<EntryResult, 'checks'>): Check[] {
  return checks.filter(({ outcome, blocking }) => outcome === 'missed' && blocking);
}

/** What a reader is shown: what was missed, blocking or not, and an entry without a run that can be trusted. */
export function findings({ checks }: Pick<EntryResult, 'checks'>): Check[] {
  return checks.filter(({ outcome, kind }) => outcome === 'missed' || (outcome === 'not-compared' && kind === 'run'));
}

/** A try in one line: `try 1: inconclusive, 4 of 800 dropped`. */
export function trySentence({ number, verdict, dropped, due }: Try): string {
  const counts = dropped === null || due === null ? '' : `, ${dropped} of ${due} dropped`;
  return `try ${number}: ${verdict}${counts}`;
}

/** What a finding is called, in one line: `E5 dropped requests: 335, allowed at most 0`. */
export function checkSentence(name: string, { what, measured, allowed }: Check): string {
  return `${name} ${what}: measured ${measured}; allowed ${allowed}`;
}
