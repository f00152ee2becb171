/**
 * What stands of a try that cannot be trusted as a whole. A late machine may cause waits, timeouts and longer outages. It
 * cannot cause a drop of which a witness shows the cause, a wrong body, or a write that is lost: a repeat does not undo them.
 */
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun, RunRecord } from '../run/run-record.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import type { Budget, Entry } from './files/budgets.ts';
import { figures, type FigureName } from './figures.ts';
import type { Check } from './gate-result.ts';

/** Figures of which a late machine is never the cause. */
const neverLate = ['lost', 'early', 'altered', 'duplicated', 'misattributed', 'stale'] as const satisfies FigureName[];

/**
 * Checks that this try misses, whatever else is wrong with it. A measurement of a user's service is made once, and its own
 * verdict says what stands.
 */
export function standingChecks(
  entry: Entry,
  { number, verdict, run }: { readonly number: number; readonly verdict: Verdict; readonly run: RunRecord },
): Check[] {
  if (run.kind === 'measure') return [];
  const dropped = provenDrops(verdict);
  const wrong = verdict.outcomes['wrong'] ?? 0;
  const found: Counted[] = [
    {
      ...{ what: 'dropped requests with a proven cause', value: dropped, measured: `${dropped} of ${verdict.due}` },
      limit: limitOnDrops(entry, run),
    },
    { what: 'wrong bodies', value: wrong, limit: none(entry, 'an answer must have the body that was asked for') },
    ...neverLate.map((figure) => ({
      what: figures[figure].what,
      value: figures[figure].of(verdict) ?? 0,
      limit: limitOn(entry, run, figure),
    })),
  ];
  return found.flatMap(({ what, value, measured = String(value), limit }): Check | never[] => {
    if (limit === null || value <= limit.max) return [];
    const { max, blocking, line } = limit;
    return {
      ...{ kind: 'budget', outcome: 'missed', runId: verdict.runId, blocking, line, measured },
      what: `${what} in try ${number}`,
      allowed: `at most ${max}`,
      because: `${limit.because}; no lateness causes this, and a repeat does not undo it`,
    };
  });
}

type Limit = Pick<Budget, 'blocking' | 'because' | 'line'> & { readonly max: number };

interface Counted {
  readonly what: string;
  readonly value: number;
  /** The value in words; by itself unless given. */
  readonly measured?: string;
  /** null: nothing limits it. */
  readonly limit: Limit | null;
}

function none({ line }: Entry, because: string): Limit {
  return { max: 0, blocking: true, because, line };
}

/** Drops that are the site's: a witness shows the cause of each, other than the end of a container. */
function provenDrops({ dropped, provenDropped, reconciliation: { causes, examples } }: Verdict): number {
  const proven = Object.entries(causes).filter(([cause]) => examples[cause]?.file !== runFiles.engineEvents);
  return Math.min(
    provenDropped ?? dropped,
    proven.reduce((sum, [, count]) => sum + count, 0),
  );
}

/**
 * The limit on drops; null where drops are part of what is expected. A limit above 0 bounds how long an outage may last,
 * and that depends on the machine too: it does not stand.
 */
function limitOnDrops(entry: Entry, run: ExperimentRun): Limit | null {
  const budget = entry.budgets.find(
    ({ figure, max }) => max === 0 && (figure === 'dropped' || figure === 'badRestarts'),
  );
  if (budget !== undefined) return { ...budget, max: 0 };
  const { dropped } = run.experiment.expect;
  return dropped !== undefined && 'max' in dropped && dropped.max === 0 ? none(entry, dropped.because) : null;
}

/** 0 unless the budgets file or the experiment says otherwise; null where the experiment has a bound of its own. */
function limitOn(entry: Entry, run: ExperimentRun, figure: (typeof neverLate)[number]): Limit | null {
  const budget = entry.budgets.find((one) => one.figure === figure);
  if (budget?.max !== undefined) return { ...budget, max: budget.max };
  if (run.experiment.expect.bounds.some(({ of }) => of === figure)) return null;
  return none(entry, `${figures[figure].what}: none may be`);
}
