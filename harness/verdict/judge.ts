/** The verdict of a run, made from the files of the run alone: run.json, timeline, ledger, witnesses. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent } from '../lab/engine-events.ts';
import type { QueueSample } from '../lab/queue-sampler.ts';
import type { DatabaseState, StoredNote } from '../lab/read-notes.ts';
import { coloursOf } from '../lab/unit-files.ts';
import { readLedger } from '../ledger/read.ts';
import { slotCount } from '../load/pacer.ts';
import { lateAboveMs } from '../load/plan.ts';
import { isDropped, type LedgerRow } from '../load/row.ts';
import type { Experiment } from '../scenario/experiment.ts';
import { gzippedRecords } from '../scenario/gzipped-lines.ts';
import { readRunRecord, runFiles } from '../scenario/run-folder.ts';
import { subjectOf, type ExperimentRun, type RunRecord, type ServiceRun } from '../scenario/run-record.ts';
import { accessLineOf, type AccessFields } from '../timeline/access-log.ts';
import { CheckStates } from '../timeline/check-states.ts';
import type { TimelineEvent } from '../timeline/event.ts';
import { readProxyLog } from '../timeline/proxy-log.ts';
import { readTimeline } from '../timeline/read.ts';
import { citationLine } from './citation.ts';
import { DropWindows } from './drop-windows.ts';
import { checkExpectations } from './expectations.ts';
import { FailedTries } from './failed-tries.ts';
import { exactInterval } from './interval.ts';
import { JoinedFile } from './joined.ts';
import { LedgerSummarizer, type LedgerSummary, type Span } from './ledger-summary.ts';
import { powerOf } from './power.ts';
import { expectedQueue, predictDrops } from './predict.ts';
import { ProxyWitnessCount, type ProxyWitness } from './proxy-witness.ts';
import { QueuePeaks } from './queues.ts';
import { Reconciler } from './reconcile.ts';
import { RequestTable, type SiteLine } from './request-table.ts';
import { outageMsOf, restartWindows, type RestartWindow } from './restart-windows.ts';
import { StaleCount } from './stale.ts';
import { distrust } from './trust.ts';
import { unplannedEnds, type UnplannedEnd } from './unplanned-ends.ts';
import type { Reconciliation, RestartVerdict, Verdict } from './verdict.ts';
import { WaitCount, type Waits } from './waits.ts';
import { BusyCount, WriteCheck } from './writes.ts';

/** Reads a run's folder, writes its verdict.json and joined.ndjson.gz, and returns the verdict. */
export async function judgeRun(folder: string): Promise<Verdict> {
  const run = await readRunRecord(folder);
  const timeline = await readTimeline(join(folder, runFiles.timeline));
  const windows = restartWindows(timeline);
  const verdict = verdictOf({
    run,
    windows,
    ...(run.kind === 'experiment'
      ? await readExperiment(folder, run, timeline, windows)
      : await readService(folder, run, timeline, windows)),
    hashes: { experiment: experimentHash(run), ledger: await sha256Of(join(folder, runFiles.ledger)) },
  });
  await writeFile(join(folder, runFiles.verdict), `${JSON.stringify(verdict, null, 2)}\n`);
  return verdict;
}

type Read = Omit<Evidence, 'run' | 'windows' | 'hashes'>;

/** Reads an experiment's ledger beside everything that other witnesses saw. */
async function readExperiment(
  folder: string,
  run: ExperimentRun,
  timeline: readonly TimelineEvent[],
  windows: readonly RestartWindow[],
): Promise<Read> {
  const { experiment } = run;
  const { ratePerSecond } = experiment.load;
  const slots = slotCount(ratePerSecond, run.durationMs);
  const spans = windows.map((window) => atRiskSpan(window, run));
  const idPrefix = `${run.runId}-1-`;
  const hasProxy = experiment.proxy.kind !== 'none';
  const originMonotonicUs = run.originMonotonicUs ?? 0;
  const originWallUs = originMonotonicUs + (run.wallOffsetUs?.[0] ?? 0);

  const table = new RequestTable(slots, idPrefix);
  const witness = new ProxyWitnessCount(slots, idPrefix);
  const tries = new FailedTries();
  const checks = new CheckStates();
  for await (const line of readProxyLog(folder)) {
    tries.addLogLine(line);
    checks.addLogLine(line);
  }
  for await (const lines of hasProxy ? gzippedRecords<AccessFields>(join(folder, runFiles.accessLog)) : []) {
    for (const fields of lines) {
      const access = accessLineOf(fields);
      witness.addLine(access);
      tries.addAnswer(access);
      table.addAccess(access);
    }
  }
  const busy = new BusyCount();
  for await (const lines of gzippedRecords<SiteLine>(join(folder, runFiles.requestLog))) {
    for (const line of lines) {
      busy.addLine(line);
      table.addSite(line);
    }
  }
  const engine = await readLines<EngineEvent>(join(folder, runFiles.engineEvents));
  const unplanned = unplannedEnds(timeline, windows);
  const writes = await openWriteCheck(folder, idPrefix);

  const reconciler = new Reconciler({
    idPrefix,
    ratePerSecond,
    hasProxy,
    hasSiteLog: true,
    originMonotonicUs,
    originWallUs,
    checkIntervalUs: (experiment.proxy.check?.intervalMs ?? 0) * 1000,
    table,
    windows,
    unplanned,
    tries,
    checks,
    engine,
  });
  const counts = new RowCounts(slots, windows, spans);
  const waits = new WaitCount([...spans, ...unplanned.map(spanOf)], originWallUs, originMonotonicUs);
  const joined = new JoinedFile(join(folder, runFiles.joined), windows);
  // Of several tries only the last one's error is known to be this request's.
  const isOnlyTry = experiment.proxy.retry === undefined;
  for await (const row of readLedger(join(folder, runFiles.ledger))) {
    counts.add(row);
    witness.addRow(row);
    const found = reconciler.addRow(row);
    waits.add(row, found.access, found.site);
    writes?.add(row, isOnlyTry && found.cause?.failure === 'refused');
    const full = joined.add(row, found);
    if (full !== undefined) await full;
  }
  await joined.end();
  return {
    ...counts.result(timeline),
    waits: waits.result(),
    queues: await readQueues(folder, experiment, originMonotonicUs, spans),
    unplanned,
    engine,
    writes: writes === null ? null : { ...writes.result(), busy: busy.result() },
    direct: await judgeDirect(folder, run),
    reconciliation: reconciler.result(),
    proxy: hasProxy ? witness.result() : null,
    proxyTries: hasProxy ? tries.balance() : null,
    kernel: JSON.parse(await readFile(join(folder, runFiles.kernel), 'utf8')) as Record<string, number>,
  };
}

/** Of a service that the user runs the client is the only witness. */
async function readService(
  folder: string,
  run: ServiceRun,
  timeline: readonly TimelineEvent[],
  windows: readonly RestartWindow[],
): Promise<Read> {
  const { ratePerSecond } = run.service;
  const slots = slotCount(ratePerSecond, run.durationMs);
  const spans = windows.map((window) => atRiskSpan(window, run));
  const counts = new RowCounts(slots, windows, spans);
  const waits = new WaitCount(spans, 0, 0);
  const idPrefix = `${run.runId}-1-`;
  const reconciler = new Reconciler({
    idPrefix,
    ratePerSecond,
    hasProxy: false,
    hasSiteLog: false,
    originMonotonicUs: 0,
    originWallUs: 0,
    checkIntervalUs: 0,
    table: new RequestTable(0, idPrefix),
    windows,
    unplanned: [],
    tries: new FailedTries(),
    checks: new CheckStates(),
    engine: [],
  });
  for await (const row of readLedger(join(folder, runFiles.ledger))) {
    counts.add(row);
    const { access, site } = reconciler.addRow(row);
    waits.add(row, access, site);
  }
  return {
    ...counts.result(timeline),
    waits: waits.result(),
    queues: windows.map(() => null),
    unplanned: [],
    engine: [],
    writes: null,
    direct: null,
    reconciliation: reconciler.result(),
    proxy: null,
    proxyTries: null,
    kernel: {},
  };
}

/** What is counted of every kind of run. */
class RowCounts {
  private readonly summarizer: LedgerSummarizer;
  private readonly stale = new StaleCount();
  private readonly drops = new DropWindows();
  private readonly windows: readonly RestartWindow[];

  constructor(slots: number, windows: readonly RestartWindow[], spans: readonly Span[]) {
    this.windows = windows;
    this.summarizer = new LedgerSummarizer(slots, windows, spans);
  }

  add(row: LedgerRow): void {
    this.summarizer.add(row);
    this.stale.add(row);
    this.drops.add(row);
  }

  result(timeline: readonly TimelineEvent[]): Pick<Evidence, 'ledger' | 'stale' | 'dropWindows'> {
    return {
      ledger: this.summarizer.result(),
      stale: this.stale.result(this.windows),
      dropWindows: this.drops.result(timeline),
    };
  }
}

function spanOf({ atUs, untilUs }: UnplannedEnd): Span {
  return { fromUs: atUs, toUs: untilUs };
}

async function readQueues(
  folder: string,
  experiment: Experiment,
  originUs: number,
  spans: readonly Span[],
): Promise<readonly (number | null)[]> {
  const ports = coloursOf(experiment).map(({ publicPort }) => publicPort);
  const peaks = new QueuePeaks(ports, originUs, spans);
  for await (const samples of gzippedRecords<QueueSample>(join(folder, runFiles.queues))) {
    for (const sample of samples) peaks.add(sample);
  }
  return peaks.result();
}

/** Everything a verdict is made of. */
export interface Evidence {
  readonly run: RunRecord;
  readonly windows: readonly RestartWindow[];
  readonly ledger: LedgerSummary;
  readonly stale: number;
  readonly dropWindows: Verdict['dropWindows'];
  readonly waits: Waits;
  /** Of each restart, the most connections that waited at the site's port. */
  readonly queues: readonly (number | null)[];
  readonly unplanned: readonly UnplannedEnd[];
  readonly engine: readonly EngineEvent[];
  readonly writes: Verdict['writes'];
  readonly direct: Verdict['direct'];
  readonly reconciliation: Reconciliation;
  /** null where no proxy of ours was part of the run. */
  readonly proxy: ProxyWitness | null;
  readonly proxyTries: Verdict['proxyTries'];
  /** Change of the kernel's counters over the load. */
  readonly kernel: Record<string, number>;
  readonly hashes: Verdict['hashes'];
}

/** The verdict. Pure. */
export function verdictOf(evidence: Evidence): Verdict {
  const { run, windows, ledger, stale, writes, direct, reconciliation, proxy, kernel, hashes } = evidence;
  const subject = subjectOf(run);
  const prediction = predictDrops(run, windows);
  const outagesMs = windows.map(outageMsOf).filter((ms) => ms !== null);
  const perRestart = windows.map((window, index) =>
    restartVerdict(
      window,
      ledger,
      {
        predicted: prediction.perRestart[index],
        queue: run.kind === 'experiment' ? expectedQueue(run.experiment, window) : null,
        longestQueue: evidence.queues[index] ?? null,
      },
      index,
    ),
  );
  const badRestarts = perRestart.filter(({ droppedInRestart }) => droppedInRestart > 0).length;
  const voidRestarts = perRestart.filter(({ voided, droppedInRestart }) => voided && droppedInRestart === 0).length;
  const restarts = windows.length - voidRestarts;
  const { all } = ledger;
  const measured = {
    dropped: all.dropped,
    restarts,
    badRestarts,
    longestWaitMs: toMs(ledger.longestWaitUs),
    longestOutageMs: outagesMs.length === 0 ? null : Math.max(...outagesMs),
    predicted: prediction,
    ratePerSecond: subject.ratePerSecond,
    outcomes: all.outcomes,
    byMethod: ledger.byMethod,
    stale,
    writes,
    direct,
    stallsOutside: evidence.waits.stalls.outsideRestarts,
  };
  const expectations = checkExpectations(expectOf(run), measured);
  const missed = expectations
    .filter(({ met }) => !met)
    .map((row) => `Expected of ${row.what}: ${row.expected}; measured: ${row.measured}.`);
  const doubts = run.aborted === null ? distrust(run, ledger, windows, evidence) : [run.aborted];
  const kind =
    run.aborted !== null ? 'aborted' : doubts.length > 0 ? 'inconclusive' : missed.length > 0 ? 'fail' : 'pass';
  const badInterval = exactInterval(badRestarts, restarts) ?? null;
  const verdict = {
    schema: 1,
    experiment: subject.id,
    variant: run.kind === 'experiment' ? run.variant : null,
    runId: run.runId,
    verdict: kind,
    reasons: [...doubts, ...missed],
    due: all.due,
    sent: all.sent,
    outcomes: all.outcomes,
    byMethod: ledger.byMethod,
    byConnection: ledger.byConnection,
    byKind: ledger.byKind,
    dropped: all.dropped,
    retryingClient: { resent: ledger.resendable, droppedAtBest: all.dropped - ledger.resendable },
    atRisk: {
      ...ledger.atRisk,
      ratePercent: ledger.atRisk.due === 0 ? null : round((100 * ledger.atRisk.dropped) / ledger.atRisk.due),
    },
    stale,
    writes,
    direct,
    reconciliation,
    unexplained: run.kind === 'experiment' ? reconciliation.unexplained : null,
    dropWindows: evidence.dropWindows,
    proxyTries: evidence.proxyTries,
    ...evidence.waits,
    restarts,
    voidRestarts,
    badRestarts,
    badRestartsUpper95: badInterval?.[1] ?? null,
    badRestartsInterval95: badInterval,
    dropRateInterval95: exactInterval(all.dropped, all.due) ?? null,
    gapMs:
      ledger.silenceUs === null ? null : Math.max(0, round(ledger.silenceUs / 1000 - 1000 / subject.ratePerSecond)),
    affectedMs: toMs(ledger.affectedUs),
    longestWaitMs: measured.longestWaitMs,
    longestOutageMs: measured.longestOutageMs,
    somaxconn: somaxconnOf(run),
    power: powerOf(restarts, subject.ratePerSecond),
    perRestart,
    schedule: {
      ratePerSecond: subject.ratePerSecond,
      lagP50Ms: toMs(ledger.lag?.p50Us ?? null),
      lagP99Ms: toMs(ledger.lag?.p99Us ?? null),
      lagMaxMs: toMs(ledger.lag?.maxUs ?? null),
      achievedRate: ledger.achievedRate === null ? null : round(ledger.achievedRate),
      unsent: all.outcomes['unsent'] ?? 0,
      local: all.outcomes['local'] ?? 0,
    },
    predicted: {
      dropped: prediction.dropped === null ? null : round(prediction.dropped),
      range: prediction.range === null ? null : [round(prediction.range[0]), round(prediction.range[1])],
      formula: prediction.formula,
      differencePercent:
        prediction.dropped === null || prediction.dropped === 0
          ? null
          : round((100 * (all.dropped - prediction.dropped)) / prediction.dropped),
    },
    expectations,
    witnesses: { proxy, kernel },
    hashes,
    citation: '',
  } satisfies Verdict;
  return { ...verdict, citation: citationLine(verdict, run) };
}

function restartVerdict(
  window: RestartWindow,
  ledger: LedgerSummary,
  {
    predicted,
    queue,
    longestQueue,
  }: { predicted: number | null | undefined; queue: number | null; longestQueue: number | null },
  index: number,
): RestartVerdict {
  const counts = ledger.perRestart[index];
  const outageMs = outageMsOf(window);
  return {
    restart: window.restart,
    deployBeginUs: window.deployBeginUs,
    sigtermUs: window.sigtermUs,
    acceptStoppedUs: window.acceptStoppedUs,
    acceptingUs: window.acceptingUs,
    readyUs: window.readyUs,
    outageMs: outageMs === null ? null : round(outageMs),
    dueInOutage: counts?.dueInOutage ?? 0,
    droppedInRestart: counts?.dropped ?? 0,
    droppedByKind: counts?.droppedByKind ?? {},
    inFlightAtSigterm: counts?.inFlightAtSigterm ?? 0,
    longestWaitMs: toMs(counts?.longestWaitUs ?? null),
    voided: (counts?.latestUs ?? 0) > lateAboveMs * 1000,
    predictedDropped: predicted === null || predicted === undefined ? null : round(predicted),
    expectedQueue: queue === null ? null : round(queue),
    longestQueue,
  };
}

function somaxconnOf({ fingerprint }: RunRecord): number | null {
  const value = Number(fingerprint['net.core.somaxconn']);
  return Number.isInteger(value) ? value : null;
}

/** What is expected of the run; of a user's service, that it drops no more than the user allows. */
function expectOf(run: RunRecord): Experiment['expect'] {
  if (run.kind === 'experiment') return run.experiment.expect;
  return {
    dropped: { max: run.service.maxDropped, because: 'the limit that --max-dropped sets (0 unless said)' },
    bounds: [],
  };
}

/** From just before SIGTERM until the new process is ready and, where there is a check, has been seen by it twice. */
function atRiskSpan(window: RestartWindow, run: RunRecord): Span {
  const checkUs = run.kind === 'experiment' ? (run.experiment.proxy.check?.intervalMs ?? 0) * 2_000 : 0;
  // In a swap the old process leaves after the new one is ready.
  const backUs = Math.max(window.readyUs ?? run.durationMs * 1000, window.firstAnswerUs ?? 0, window.exitUs ?? 0);
  return { fromUs: window.deployBeginUs, toUs: backUs + checkUs };
}

/** The check of the writes; null where the database was not read. */
async function openWriteCheck(folder: string, idPrefix: string): Promise<WriteCheck | null> {
  const path = join(folder, runFiles.notes);
  if (!existsSync(path)) return null;
  let check: WriteCheck | null = null;
  for await (const records of gzippedRecords<DatabaseState | StoredNote>(path)) {
    for (const record of records) {
      // The first line is of the database itself.
      if (check === null) check = new WriteCheck(record as DatabaseState, idPrefix);
      else check.addStored(record as StoredNote);
    }
  }
  return check;
}

/** Counts of the direct probe; null where there was none. */
async function judgeDirect(folder: string, run: RunRecord): Promise<Verdict['direct']> {
  const path = join(folder, runFiles.direct);
  if (run.kind === 'measure' || !existsSync(path)) return null;
  const outcomes: Record<string, number> = {};
  let due = 0;
  let dropped = 0;
  let longestUs: number | null = null;
  for await (const { outcome, doneUs, dueUs } of readLedger(path)) {
    due++;
    if (outcome === 'ok') longestUs = Math.max(longestUs ?? 0, doneUs - dueUs);
    if (isDropped(outcome)) dropped++;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return { ratePerSecond: run.experiment.probe.ratePerSecond, due, dropped, outcomes, longestWaitMs: toMs(longestUs) };
}

/** A file of JSON lines that is not long; empty where it is missing. */
async function readLines<T>(path: string): Promise<T[]> {
  if (!existsSync(path)) return [];
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Of the experiment as it ran, options applied, or of what was asked of a service. */
function experimentHash(run: RunRecord): string {
  return createHash('sha256')
    .update(JSON.stringify(run.kind === 'experiment' ? run.experiment : run.service))
    .digest('hex');
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

function toMs(us: number | null): number | null {
  return us === null ? null : round(us / 1000);
}

/** To a thousandth: what the stamps can tell. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
