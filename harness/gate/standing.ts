/**
 * What stands of a try that cannot be trusted as a whole. A late machine may cause waits, timeouts and longer outages. It
 * cannot cause a drop of which a witness shows the cause, a wrong body, or a write that is lost: a repeat does not undo them.
 */
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun, RunRecord } from '../run/run-record.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Budget, Entry } from './budgets.ts';
import { figures, type FigureName } from './figures.ts';
import type { Check } from './gate-result.ts';

/** A run of an entry, and which try it was. */
export interface NumberedRun {
  readonly number: number;
  readonly verdict: Verdict;
  readonly run: RunRecord;
}

/** Figures of which a late machine is never the cause. */
const neverLate = ['lost', 'early', 'altered', 'duplicated', 'misattributed', 'stale'] as const satisfies FigureName[];

/**
 * Checks that this try misses, whatever else is wrong with it. A measurement of a user's service is made once, and its own
 * verdict says what stands.
 */
export function standingChecks(entry: Entry, of: NumberedRun): Check[] {
  const { verdict, run } = of;
  if (run.kind === 'measure') return [];
  const found: Check[] = [];
  const add = (what: string, measured: string, limit: Limit): void => {
    found.push({
      kind: 'budget',
      what: `${what} in try ${of.number}`,
      runId: verdict.runId,
      measured,
      allowed: `at most ${limit.max}`,
      outcome: 'missed',
      blocking: limit.blocking,
      because: `${limit.because}; no lateness causes this, and a repeat does not undo it`,
      line: limit.line,
    });
  };
  const dropped = provenDrops(verdict);
  const onDrops = limitOnDrops(entry, run);
  if (onDrops !== null && dropped > onDrops.max) {
    add('dropped requests with a proven cause', `${dropped} of ${verdict.due}`, onDrops);
  }
  const wrong = verdict.outcomes['wrong'] ?? 0;
  if (wrong > 0) add('wrong bodies', String(wrong), ownLimit(entry, 'an answer must have the body that was asked for'));
  for (const figure of neverLate) {
    const limit = limitOn(entry, run, figure);
    const value = figures[figure].of(verdict) ?? 0;
    if (limit !== null && value > limit.max) add(figures[figure].what, String(value), limit);
  }
  return found;
}

type Limit = Pick<Budget, 'blocking' | 'because' | 'line'> & { readonly max: number };

function ownLimit({ line }: Entry, because: string): Limit {
  return { max: 0, blocking: true, because, line };
}

/** Drops that are the site's: a witness shows the cause of each, and the end of a container is none that it brought about. */
function provenDrops({ dropped, provenDropped, reconciliation }: Verdict): number {
  const proven = Object.entries(reconciliation.causes)
    .filter(([cause]) => reconciliation.examples[cause]?.file !== runFiles.engineEvents)
    .reduce((sum, [, count]) => sum + count, 0);
  return Math.min(provenDropped ?? dropped, proven);
}

/**
 * The limit on drops; null where drops are part of what is expected. A limit above 0 bounds how long an outage may last,
 * and that depends on the machine too: it does not stand.
 */
function limitOnDrops(entry: Entry, run: ExperimentRun): Limit | null {
  const budget = entry.budgets.find(
    ({ figure, max }) => max === 0 && (figure === 'dropped' || figure === 'badRestarts'),
  );
  if (budget?.max !== undefined) return { ...budget, max: budget.max };
  const { dropped } = run.experiment.expect;
  return dropped !== undefined && 'max' in dropped && dropped.max === 0 ? ownLimit(entry, dropped.because) : null;
}

/** 0 unless the budgets file or the experiment says otherwise; null where no more than a bound of its own is known. */
function limitOn(entry: Entry, run: ExperimentRun, figure: (typeof neverLate)[number]): Limit | null {
  const budget = entry.budgets.find((one) => one.figure === figure);
  if (budget?.max !== undefined) return { ...budget, max: budget.max };
  if (run.experiment.expect.bounds.some(({ of }) => of === figure)) return null;
  return ownLimit(entry, `${figures[figure].what}: none may be`);
}
