/** Everything that a verdict is made of: what the queries give, and the short files of the run. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { HarnessError } from '../base/errors.ts';
import { toMs } from '../base/sums.ts';
import { openDatabase, type RunDatabase } from '../run/database.ts';
import type { EngineEvent } from '../run/files/engine-events.ts';
import { sha256OfFile } from '../run/file-hash.ts';
import { isStaleKnown } from '../experiment/ready-question.ts';
import { plainJson } from '../run/plain-file.ts';
import { openRun, type OpenRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun, RunRecord, ServiceRun } from '../run/run-record.ts';
import { isOfOwnService, quoted, siteNamesOf } from '../run/tables.ts';
import { readTimelineFiles, timelineOf } from '../run/timeline/timeline-from-files.ts';
import { readTimeline, type TimelineEvent } from '../run/files/timeline.ts';
import { countRequests } from './service/count-requests.ts';
import { countHolds, restartsOfEnds, type HoldEvidence } from './service/count-holds.ts';
import { countSites, type SiteCounts } from './count-sites.ts';
import { controlDoubts, controlsSchema, type Control } from './controls.ts';
import { dropWindows } from './drop-windows.ts';
import { askerOf, countLedger, partsAskerOf, type Ask, type LedgerSummary } from './ledger-summary.ts';
import { joinedAmong, makeNoted } from './queries/joined.ts';
import type { RestartWindow } from './restart-windows.ts';
import { makeRunTables, type RunTables } from './run-tables.ts';
import type { UnplannedEnd } from './unplanned-ends.ts';
import type { RequestVerdict, Verdict } from './record/verdict.ts';
import { keptReuseOf } from './service/kept-reuse.ts';
import { serverLogDoubts, serverLogsOf } from './service/server-logs.ts';
import { journalDoubts, journalOf } from './service/unit-journal.ts';
import { witnessDoubts } from './witness-files.ts';
import { countDirect, countProxy, countWaits, countWrites, reconcile, writesDoubtOf, type Waits } from './witnesses.ts';

interface SentTo {
  readonly address: string | null;
  readonly requests: number;
  readonly fromUs: number;
}

/** Everything a verdict is made of; what goes into it as it is has the words of its schema. */
export interface Evidence extends Pick<
  Verdict,
  | 'stale'
  | 'keptReuse'
  | 'dropWindows'
  | 'calibration'
  | 'writes'
  | 'direct'
  | 'reconciliation'
  | 'proxyTries'
  | 'journal'
  | 'serverLog'
  | 'hashes'
> {
  readonly run: RunRecord;
  readonly windows: readonly RestartWindow[];
  readonly ledger: LedgerSummary;
  /** Several sites, one by one; null where there is only one. */
  readonly sites: readonly SiteCounts[] | null;
  /** Where requests to a service of the user's went, by address; null: its first. */
  readonly addresses: readonly SentTo[];
  /** The requests of a mix, one by one; null where the user wrote none. */
  readonly requests: readonly RequestVerdict[] | null;
  /** Requests of a service of the user's own in the lab that mostly failed before the first restart. */
  readonly illRequests: readonly RequestBefore[];
  /** null where no connection was held. */
  readonly holds: HoldEvidence | null;
  /** Was something of the service seen to change in every restart? null where nothing was to change. */
  readonly hasChanged: boolean | null;
  /** Restarts of a service of the user's in which nothing was. */
  readonly unchangedRestarts: readonly number[];
  /** A service of the user's did not answer steadily again in the time it was given. */
  readonly isNotBack: boolean;
  readonly waits: Waits;
  /** What a service of the user's own takes for an answer apart from restarts, at most, ms; the demo site is asked for it. */
  readonly longestApartMs?: number | null;
  readonly controls: readonly Control[] | null;
  /** Witnesses that are missing or do not cover the run, each a sentence. */
  readonly witnessDoubts: readonly string[];
  readonly unplanned: readonly UnplannedEnd[];
  readonly engine: readonly EngineEvent[];
  /** Why nothing is known of the writes, though they were looked up. */
  readonly writesDoubt?: string | undefined;
  /** Of the direct probe's ok answers those whose end is the close of the connection; behind a proxy nobody else sees that. */
  readonly directWithoutLength?: number;
  /** null where no proxy of ours was part of the run. */
  readonly proxy: Verdict['witnesses']['proxy'];
  /** Change of the kernel's counters over the load. */
  readonly kernel: Record<string, number>;
}

/** A run that is open, with its database. */
export interface JudgedRun {
  readonly open: OpenRun;
  readonly timeline: readonly TimelineEvent[];
  readonly database: RunDatabase;
  readonly tables: RunTables;
}

/**
 * Opens the run in a folder as a database, with all tables and views; whoever opens it closes the database.
 * @throws {HarnessError} naming the file that is missing, cut short or damaged
 */
export async function openRunDatabase(folder: string): Promise<JudgedRun> {
  const open = await openRun(folder);
  for (const name of neededFiles(open.record)) {
    if (!open.has(name)) throw new HarnessError('run-damaged', `${join(folder, name)} is missing.`);
  }
  const timeline = open.has(runFiles.timeline) ? await readTimeline(join(open.path, runFiles.timeline)) : [];
  const database = await openDatabase(open.path, open.record);
  try {
    const tables = await makeRunTables(database, { folder: open.path, run: open.record, timeline });
    return { open, timeline, database, tables };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A run that was cut short may have lost its end in any way: then what is there is counted. */
function neededFiles(run: RunRecord): string[] {
  if (run.aborted !== null) return [];
  const always = [runFiles.timeline, runFiles.ledger];
  if (run.kind === 'measure') return always;
  const ofProxy = run.experiment.proxy.kind === 'none' ? [] : [runFiles.accessLog];
  return [...always, ...ofProxy, runFiles.requestLog, runFiles.queues, runFiles.kernel];
}

/**
 * Reads a run's folder, and writes its joined.ndjson.gz on the way.
 * @throws {HarnessError} naming the file that is missing, cut short or damaged
 */
export async function readEvidence(folder: string): Promise<Evidence> {
  const judged = await openRunDatabase(folder);
  const { open, timeline, database, tables } = judged;
  const run = open.record;
  try {
    const ask = askerOf(database);
    const sites = siteNamesOf(run);
    const ledger = await countLedger(ask, tables.windows);
    const holds = await countHolds(run, { ask, open, restarts: tables.windows.map(({ restart }) => restart) });
    const common = {
      run,
      windows: tables.windows,
      unplanned: tables.unplanned,
      ledger,
      sites: sites.length === 1 ? null : await countSites(ask, sites, open.has(runFiles.notes)),
      addresses: run.kind === 'measure' ? await ask<SentTo>('addresses') : [],
      requests: await requestsOf(ask, run),
      // Where most fail, what fails later is no restart's doing.
      illRequests: isOfOwnService(run)
        ? (await ask<RequestBefore>('request-before')).filter(({ asked, ok }) => 2 * ok < asked)
        : [],
      stale: await staleOf(ask, run),
      holds,
      dropWindows: await dropWindows(ask, timeline, run.kind),
      waits: await countWaits(ask),
      reconciliation: await reconcile(ask),
      hashes: { experiment: experimentHash(run), ledger: await ledgerHash(open) },
    };
    if (run.kind === 'measure') return { ...common, ...(await readService(run, { ...judged, ask, ledger, holds })) };
    await writeJoined(database, open.path);
    return { ...common, ...(await readExperiment(run, { ...judged, ask })) };
  } finally {
    await database.close();
  }
}

async function requestsOf(ask: Ask, run: RunRecord): Promise<RequestVerdict[] | null> {
  const { requests } = (run.kind === 'measure' ? run.service : run.experiment.service) ?? {};
  return requests === undefined ? null : await countRequests(ask, requests);
}

interface RequestBefore {
  readonly request: string;
  readonly asked: number;
  readonly ok: number;
  /** The most frequent outcome beside ok. */
  readonly other: string;
}

/** null where answers do not name their version; a service of the user's own may name it in some only, or otherwise. */
async function staleOf(ask: Ask, run: RunRecord): Promise<number | null> {
  if (run.kind === 'experiment' && !isStaleKnown(run.experiment)) return null;
  const [found] = await ask<{ stale: number; unnamed: number; unseen: number }>('stale');
  const { stale, unnamed, unseen } = found ?? { stale: 0, unnamed: 0, unseen: 0 };
  return isOfOwnService(run) && stale === 0 && unnamed + unseen > 0 ? null : stale;
}

async function readExperiment(run: ExperimentRun, { open, timeline, database, tables, ask }: JudgedRun & { ask: Ask }) {
  const folder = open.path;
  const files = await readTimelineFiles(folder, run);
  const kernel = open.has(runFiles.kernel)
    ? await plainJson(join(folder, runFiles.kernel), z.record(z.string(), z.number()), { what: 'record of counters' })
    : {};
  const beside = open.has(runFiles.controls)
    ? await plainJson(join(folder, runFiles.controls), controlsSchema, { what: 'record of controls' })
    : { controls: null, calibration: null };
  const direct = open.has(runFiles.direct) ? await countDirect(ask, run.experiment.probe.ratePerSecond) : null;
  const hasProxy = run.experiment.proxy.kind !== 'none';
  const { checks, hasProxyLog, tries } = tables;
  const writesDoubt = open.has(runFiles.notes) ? await writesDoubtOf(run, ask) : undefined;
  return {
    // The journal tells what a lab's deploys changed.
    hasChanged: null,
    unchangedRestarts: [],
    isNotBack: false,
    witnessDoubts: [
      ...witnessDoubts(run, {
        timeline,
        timelineAgain: await timelineOf(run, files, { database, checks }),
        journalLines: files.journal.length,
        hasProxyLog,
        queueSamples: (await database.one<{ n: number }>('select count(*) as n from queues')).n,
        engine: files.engine,
        kernel,
        probed: direct?.due ?? null,
      }),
      ...probeDoubts(await ask('direct-disagreements')),
      ...(beside.controls === null ? [] : controlDoubts(run, beside)),
    ],
    ...beside,
    engine: files.engine,
    ...(isOfOwnService(run) && { longestApartMs: await longestApartMs(ask) }),
    writesDoubt,
    writes:
      open.has(runFiles.notes) && writesDoubt === undefined
        ? await countWrites(ask, partsAskerOf(database), {
            isDemo: !isOfOwnService(run),
            isCounted: !isAskedByUrl(run),
          })
        : null,
    direct,
    directWithoutLength: (
      await database.one<{ n: number }>("select count(*) as n from direct where hasNoLength and outcome = 'ok'")
    ).n,
    ...(hasProxy ? await countProxy(ask, tries) : { proxy: null, proxyTries: null }),
    kernel,
  };
}

async function longestApartMs(ask: Ask): Promise<number | null> {
  const [found] = await ask<{ longestUs: number | null }>('longest-apart');
  return toMs(found?.longestUs ?? null);
}

/** A URL tells whether a write is stored, and not how often. */
function isAskedByUrl({ experiment: { service } }: ExperimentRun): boolean {
  return service?.writes !== undefined && 'url' in service.writes;
}

function probeDoubts(wrong: readonly { readonly seq: number; readonly what: string }[]): string[] {
  const [first] = wrong;
  if (first === undefined) return [];
  return [
    `The direct probe (${runFiles.direct}) disagrees with the site's log in ${wrong.length} rows: row ${first.seq} ` +
      `${first.what}; one of them was changed after the run.`,
  ];
}

/** Of a service that the user runs the client is the only witness. */
async function readService(
  run: ServiceRun,
  of: JudgedRun & { ask: Ask; ledger: LedgerSummary; holds: HoldEvidence | null },
) {
  const { open, timeline, ask } = of;
  const { windows } = of.tables;
  const hasJournal = open.has(runFiles.journal);
  const names = await ask<{ restart: number; before: number; new: number }>('changes');
  const changed = new Set([
    ...names.filter((one) => one.before < mostNames && one.new > 0).map(({ restart }) => restart),
    ...timeline.filter(({ source, kind }) => source === 'journal' && kind === 'start').map(({ restart }) => restart),
    ...restartsOfEnds(of.holds),
  ]);
  const unchangedRestarts = windows
    .map(({ restart }) => restart)
    .filter((restart) => !changed.has(restart) && !hasOtherListeners(run, restart));
  return {
    hasChanged: windows.length === 0 ? null : unchangedRestarts.length === 0,
    unchangedRestarts,
    isNotBack: timeline.some(({ kind }) => kind === 'not-steady') || (windows.length > 0 && of.ledger.isGoneAtEnd),
    // Of a service that the user runs there is no second one.
    controls: [],
    calibration: null,
    witnessDoubts: [...journalDoubts(run, hasJournal), ...(await serverLogDoubts(run, ask))],
    engine: [],
    writes: null,
    direct: null,
    proxy: null,
    proxyTries: null,
    kernel: {},
    journal: hasJournal ? journalOf(run, windows, timeline) : undefined,
    serverLog: await serverLogsOf(run, ask),
    keptReuse: await keptReuseOf(ask),
  };
}

/** Did other processes listen on the service's port after this restart than before it? */
function hasOtherListeners({ listeners, listenersByRestart }: ServiceRun, restart: number): boolean {
  const around =
    listenersByRestart === undefined ? listeners : listenersByRestart.find((one) => one.restart === restart);
  return around?.before !== around?.after;
}

/** A service that gives each answer another name tells nothing by them. */
const mostNames = 1_000;

/** Rows that are joined at once: of a long run, with a drop in every third, all take 150 MiB more. */
const rowsAtOnce = 150_000;

/** Writes joined.ndjson.gz: the rows that were not plainly answered, with what the witnesses say of each. */
async function writeJoined(database: RunDatabase, folder: string): Promise<void> {
  const packed = createWriteStream(join(folder, runFiles.joined));
  await pipeline(joinedText(database), createGzip({ level: 1 }), packed);
}

async function* joinedText(database: RunDatabase): AsyncGenerator<Buffer> {
  const plain = join(database.temporary, 'joined.ndjson');
  await database.run(makeNoted);
  const { rows } = await database.one<{ rows: number }>('select count(*) as rows from noted');
  for (let from = 1; from <= rows; from += rowsAtOnce) {
    // Sorted while it is written, it takes 90 MiB more.
    await database.run(`create or replace table joined as ${joinedAmong({ from, to: from + rowsAtOnce - 1 })}`);
    await database.run(`copy joined to ${quoted(plain)} (format json)`);
    yield* createReadStream(plain) as AsyncIterable<Buffer>;
  }
}

/** Of the ledger's file; where a run that was cut short has none, of nothing. */
async function ledgerHash(open: OpenRun): Promise<string> {
  if (!open.has(runFiles.ledger)) return createHash('sha256').digest('hex');
  return await sha256OfFile(join(open.path, runFiles.ledger));
}

/** Of the experiment as it ran, options applied, or of what was asked of a service. */
function experimentHash(run: RunRecord): string {
  return createHash('sha256')
    .update(JSON.stringify(run.kind === 'experiment' ? run.experiment : run.service))
    .digest('hex');
}
