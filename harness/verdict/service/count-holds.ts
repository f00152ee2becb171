/** What became of held connections, from the queries. */
import { greatestOf, sumOf, toMs } from '../../base/sums.ts';
import type { OpenRun } from '../../run/run-door.ts';
import { runFiles } from '../../run/run-folder.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { holdSteps, type HoldStep } from './hold-steps.ts';
import type { Ask } from '../ledger-summary.ts';
import type { HoldsVerdict } from '../record/verdict.ts';

/** Held connections of a run. */
export interface HoldEvidence {
  readonly verdict: HoldsVerdict;
  /** Is their file there? */
  readonly isThere: boolean;
  readonly counts: Totals;
  /** Those that had regular messages, and none any more: a peer that vanishes without FIN or RST looks so. */
  readonly silent: { readonly connections: number; readonly leastUs: number | null };
  /** What the first try that failed said; null where none did. */
  readonly firstError: string | null;
}

interface Totals {
  readonly lives: number;
  readonly opened: number;
  readonly endedByService: number;
  readonly messages: number;
  readonly bytes: number;
  /** Lives that do not follow those before them. */
  readonly outOfOrder: number;
}

interface Ends {
  readonly restart: number;
  readonly step: HoldStep;
  readonly ending: string;
  readonly closeCode: number | null;
  readonly connections: number;
  readonly longestBackUs: number | null;
  readonly notBack: number;
}

/** Counts them; null where none was held. @param restarts their numbers */
export async function countHolds(
  run: RunRecord,
  { ask, open, restarts }: { ask: Ask; open: OpenRun; restarts: readonly number[] },
): Promise<HoldEvidence | null> {
  if (run.kind !== 'measure' || run.service.hold === undefined) return null;
  const { kind, path, count } = run.service.hold;
  const [counts] = await ask<Totals>('hold-totals');
  if (counts === undefined) throw new Error('a query without a row');
  const ends = await ask<Ends>('hold-ends');
  const opens = await ask<{ restart: number; connections: number }>('hold-open');
  const failures = await ask<{ ending: string; status: number | null; tries: number; error: string | null }>(
    'hold-failures',
  );
  const [silent = { connections: 0, leastUs: null }] = await ask<HoldEvidence['silent']>('hold-silent');
  const { lives, opened, messages, bytes } = counts;
  const failedTries = failures.map(({ ending, status, tries }) => [
    status === null ? ending : `${ending} ${status}`,
    tries,
  ]);
  return {
    verdict: {
      ...{ kind, path, connections: count, lives, opened, messages, bytes },
      ...endsOf(ends),
      failedTries: Object.fromEntries(failedTries) as Record<string, number>,
      perRestart: restarts.map((restart) => ({
        restart,
        open: opens.find((one) => one.restart === restart)?.connections ?? 0,
        ...endsOf(ends.filter((one) => one.restart === restart)),
      })),
    },
    isThere: open.has(runFiles.holds),
    counts,
    silent,
    firstError: failures.find(({ error }) => error !== null)?.error ?? null,
  };
}

/** Restarts in which the service ended connections that it means to keep: something of it changed. */
export function restartsOfEnds(holds: HoldEvidence | null): number[] {
  if (holds === null || (holds.verdict.kind !== 'sse' && holds.verdict.kind !== 'websocket')) return [];
  return holds.verdict.perRestart.filter(({ ended }) => ended > 0).map(({ restart }) => restart);
}

function endsOf(ends: readonly Ends[]) {
  const many = (some: readonly Ends[]): number => sumOf(some, ({ connections }) => connections);
  const by = <Name extends string>(nameOf: (one: Ends) => Name | null) =>
    Object.fromEntries(
      [...Map.groupBy(ends, nameOf)].flatMap(([name, own]) => (name === null ? [] : [[name, many(own)]])),
    ) as Record<Name, number>;
  const byStep: HoldsVerdict['byStep'] = by(({ step }) => step);
  return {
    ended: many(ends),
    byEnding: by(({ ending }) => ending),
    cut: many(ends.filter(({ ending }) => ending === 'cut')),
    closeCodes: by(({ closeCode }) => (closeCode === null ? null : String(closeCode))),
    byStep: Object.fromEntries(holdSteps.filter((step) => step in byStep).map((step) => [step, byStep[step]])),
    longestBackMs: toMs(greatestOf(ends.map(({ longestBackUs }) => longestBackUs))),
    notBack: sumOf(ends, ({ notBack }) => notBack),
  };
}
