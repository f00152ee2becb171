/** What the other witnesses come to: the proxy, the site, the database, the direct probe; from the queries. */
import { crc32 } from 'node:zlib';
import { counted } from '../base/counted.ts';
import { sumOf, toMs } from '../base/sums.ts';
import { oneLine } from '../run/plain-file.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { noteText } from '../run/site-requests.ts';
import type { Ask, AskInParts } from './ledger-summary.ts';
import { stallAboveMs, transitAboveMs } from './queries/waits.ts';
import type { Reconciliation, Verdict, WritesVerdict } from './record/verdict.ts';

const mostStalls = 20;
const mostExamples = 10;

/** What the waits come to. */
export type Waits = Pick<Verdict, 'stalls' | 'transit'>;

/** Where answers that came late had waited: a stall outside of every restart is no restart's doing. */
export async function countWaits(ask: Ask): Promise<Waits> {
  const [parts] = await ask<{
    longestTransitUs: number | null;
    slowTransits: number;
    firstSlow: number | null;
    medianInSiteMs: number | null;
  }>('answer-parts');
  const stalls = await ask<{ seq: number; waitedAt: string; isOfRestart: boolean }>('stalls');
  const byPlace = [...Map.groupBy(stalls, ({ waitedAt }) => waitedAt)].map(([place, own]) => [place, own.length]);
  const outside = stalls.filter(({ isOfRestart }) => !isOfRestart);
  return {
    stalls: {
      aboveMs: stallAboveMs,
      count: stalls.length,
      byPlace: Object.fromEntries(byPlace) as Record<string, number>,
      outsideRestarts: outside.length,
      outsideRows: outside.slice(0, mostStalls).map(({ seq }) => seq),
      medianInSiteMs: parts?.medianInSiteMs ?? null,
    },
    transit: {
      aboveMs: transitAboveMs,
      longestMs: toMs(parts?.longestTransitUs ?? null),
      slow: parts?.slowTransits ?? 0,
      firstSlowRow: parts?.firstSlow ?? null,
    },
  };
}

/** The ledger beside the logs of proxy and site, row by row. */
export async function reconcile(ask: Ask): Promise<Reconciliation> {
  const [sums] = await ask<Pick<Reconciliation, 'rows' | 'disagreeing' | 'unexplained'>>('reconciliation');
  const causes = await ask<{
    cause: string;
    dropped: number;
    example: Reconciliation['examples'][string];
    said: string | null;
  }>('causes');
  const unexplained = await ask<{ seq: number }>('unexplained');
  return {
    rows: sums?.rows ?? 0,
    disagreeing: sums?.disagreeing ?? 0,
    disagreements: await ask('disagreements'),
    causes: Object.fromEntries(causes.map(({ cause, dropped }) => [cause, dropped])),
    examples: Object.fromEntries(
      causes.map(({ cause, example, said }) => [cause, said === null ? example : { ...example, said }]),
    ),
    unexplained: sums?.unexplained ?? 0,
    unexplainedRows: unexplained.map(({ seq }) => seq),
  };
}

/** The proxy's two logs against the ledger, and against each other. */
export async function countProxy(
  ask: Ask,
  tries: { readonly retries: number; readonly failedTries: number },
): Promise<{ proxy: Verdict['witnesses']['proxy']; proxyTries: Verdict['proxyTries'] }> {
  const [proxy] = await ask<NonNullable<Verdict['witnesses']['proxy']>>('proxy-witness');
  const [answers] = await ask<{ answers: number }>('proxy-answers');
  return { proxy: proxy ?? null, proxyTries: { answers: answers?.answers ?? 0, ...tries } };
}

/**
 * What became of the writes; the database was read.
 * @param of.isCounted is it told how often a write is stored?
 * @param of.isDemo of a service of the user's own neither text nor time of a write is known, nor what its database said
 */
export async function countWrites(
  ask: Ask,
  askInParts: AskInParts,
  { isDemo, isCounted }: { isDemo: boolean; isCounted: boolean },
): Promise<WritesVerdict | null> {
  const counts = await ask<{ known: string; fate: string; writes: number }>('writes');
  const faults = await ask<{ fate: string; requestId: string }>('write-faults');
  const notes = await ask<{ fate: string; id: string }>('note-faults');
  const altered: string[] = [];
  for await (const texts of askInParts<{ id: string; textCrc32s: string }>('stored-texts')) {
    for (const { id, textCrc32s } of texts) if (textCrc32s !== String(crc32(noteText(id)))) altered.push(id);
  }
  const [state] = await ask<{ integrity: string }>('database-state');
  const [busy] = await ask<WritesVerdict['busy']>('busy');
  // A file without a line is of a database that was not read.
  if (state === undefined || busy === undefined) return null;
  const count = (word: 'known' | 'fate', wanted: string): number =>
    sumOf(counts, (row) => (row[word] === wanted ? row.writes : 0));
  const faultsOf = (wanted: string): string[] =>
    faults.flatMap(({ fate, requestId }) => (fate === wanted ? requestId : []));
  const notesOf = (wanted: string): string[] => notes.flatMap(({ fate, id }) => (fate === wanted ? id : []));
  const ids = {
    lost: faultsOf('lost'),
    early: faultsOf('early'),
    altered,
    duplicated: notesOf('duplicated'),
    misattributed: faultsOf('misattributed'),
    unexpected: notesOf('unexpected'),
  };
  return {
    acknowledged: count('known', 'acknowledged'),
    failed: count('known', 'failed'),
    indeterminate: count('known', 'indeterminate'),
    recovered: count('fate', 'recovered'),
    lost: ids.lost.length,
    early: isDemo ? ids.early.length : null,
    altered: isDemo ? ids.altered.length : null,
    duplicated: isCounted ? ids.duplicated.length : null,
    misattributed: ids.misattributed.length,
    unexpected: ids.unexpected.length,
    examples: Object.fromEntries(Object.entries(ids).map(([fate, all]) => [fate, all.slice(0, mostExamples)])),
    integrity: state.integrity === '' ? null : state.integrity,
    busy: isDemo ? busy : null,
  };
}

/** One kind of write, with how many ids `writes` gave of all kinds, and one of them. */
interface OwnWrites {
  readonly request: string;
  readonly acknowledged: number;
  readonly stored: number;
  readonly lostId: string | null;
  readonly answers: number;
  readonly answer: string | null;
}

/**
 * Of a service of the user's own: why `writes` of its service.yaml cannot be believed, as a sentence; nothing where it can. Where
 * it gives none of a kind that was acknowledged, either all are lost or it asks the wrong thing: a write of the kind that
 * it found before anything restarted tells which.
 */
export async function writesDoubtOf(
  { experiment, firstWrites = [] }: ExperimentRun,
  ask: Ask,
): Promise<string | undefined> {
  const { writes } = experiment.service ?? {};
  if (writes === undefined) return undefined;
  for (const { request, acknowledged, stored, lostId, answers, answer } of await ask<OwnWrites>('own-writes')) {
    const first = firstWrites.find((write) => write.request === request);
    const isAbsent = first?.fate === 'absent';
    // Nothing at all is what is left of a store that is lost.
    if (acknowledged === 0 || stored > 0 || first?.fate === 'found' || (answers === 0 && !isAbsent)) continue;
    const asked = 'sql' in writes ? writes.sql : 'url' in writes ? writes.url : writes.command;
    const gave = answer === null ? 'gave nothing' : `gave ${counted(answers, 'id')}, such as ${JSON.stringify(answer)}`;
    const before = isAbsent ? ', nor the one that was made and looked for before any restart' : '';
    return (
      `Nothing is known of the writes: \`writes\` of service.yaml (${oneLine(asked)}) ${gave}, and none of the ${acknowledged} of ` +
      `${request} that were acknowledged, such as ${lostId ?? '?'}${before}. Either it asks for something else, or the service ` +
      'stores nothing there; let it give the {id} of every write that is stored: `doctor --app` tries that in seconds.'
    );
  }
  return undefined;
}

/** Counts of the direct probe; null where there was none. */
export async function countDirect(ask: Ask, ratePerSecond: number): Promise<Verdict['direct']> {
  const rows = await ask<{ outcome: string; due: number; dropped: boolean; longestUs: number | null }>('direct');
  const longestUs = rows.find(({ outcome }) => outcome === 'ok')?.longestUs ?? null;
  return {
    ratePerSecond,
    due: sumOf(rows, ({ due }) => due),
    dropped: sumOf(rows, ({ due, dropped }) => (dropped ? due : 0)),
    outcomes: Object.fromEntries(rows.map(({ outcome, due }) => [outcome, due])),
    longestWaitMs: longestUs === null ? null : longestUs / 1000,
  };
}
