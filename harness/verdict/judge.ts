/** The verdict of a run, made from the files of the run alone: run.json, timeline, ledger, witnesses. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { DatabaseState, StoredNote } from '../lab/read-notes.ts';
import { readLedger } from '../ledger/read.ts';
import { slotCount } from '../load/pacer.ts';
import { lateAboveMs } from '../load/plan.ts';
import { isDropped } from '../load/row.ts';
import type { Experiment } from '../scenario/experiment.ts';
import { readRunRecord, runFiles } from '../scenario/run-folder.ts';
import { subjectOf, type RunRecord } from '../scenario/run-record.ts';
import { parseAccessLine } from '../timeline/access-log.ts';
import { readTimeline } from '../timeline/read.ts';
import { citationLine } from './citation.ts';
import { checkExpectations } from './expectations.ts';
import { exactInterval } from './interval.ts';
import { LedgerSummarizer, type LedgerSummary, type Span } from './ledger-summary.ts';
import { powerOf } from './power.ts';
import { expectedQueue, predictDrops } from './predict.ts';
import { ProxyWitnessCount, type ProxyWitness } from './proxy-witness.ts';
import { Reconciler, type SiteLine } from './reconcile.ts';
import { outageMsOf, restartWindows, type RestartWindow } from './restart-windows.ts';
import { StaleCount } from './stale.ts';
import { distrust } from './trust.ts';
import type { Reconciliation, RestartVerdict, Verdict } from './verdict.ts';
import { BusyCount, WriteCheck } from './writes.ts';

/** Reads a run's folder, writes its verdict.json, and returns it. */
export async function judgeRun(folder: string): Promise<Verdict> {
  const run = await readRunRecord(folder);
  const timeline = await readTimeline(join(folder, runFiles.timeline));
  const windows = restartWindows(timeline);
  const spans = windows.map((window) => atRiskSpan(window, run));
  const slots = slotCount(subjectOf(run).ratePerSecond, run.durationMs);
  const summarizer = new LedgerSummarizer(slots, windows, spans);
  const idPrefix = `${run.runId}-1-`;
  const witness = new ProxyWitnessCount(idPrefix);
  const stale = new StaleCount();
  const writes = await openWriteCheck(folder, idPrefix);
  const ledgerPath = join(folder, runFiles.ledger);
  const hasProxy = run.kind === 'experiment' && run.experiment.proxy.kind !== 'none';
  const reconciler = new Reconciler(
    {
      idPrefix,
      ratePerSecond: subjectOf(run).ratePerSecond,
      hasProxy,
      hasSiteLog: run.kind === 'experiment',
      originMonotonicUs: run.originMonotonicUs ?? 0,
      wallOffsetUs: run.wallOffsetUs?.[0] ?? 0,
      checkIntervalUs: run.kind === 'experiment' ? (run.experiment.proxy.check?.intervalMs ?? 0) * 1000 : 0,
    },
    windows,
  );
  if (hasProxy) {
    for await (const line of readGzippedLines(join(folder, runFiles.accessLog))) {
      const access = parseAccessLine(line);
      witness.addLine(access);
      reconciler.addAccess(access);
    }
  }
  const busy = new BusyCount();
  if (run.kind === 'experiment') {
    for await (const line of readGzippedLines(join(folder, runFiles.requestLog))) {
      busy.addLine(line);
      reconciler.addSite(JSON.parse(line) as SiteLine);
    }
  }
  for await (const row of readLedger(ledgerPath)) {
    summarizer.add(row);
    witness.addRow(row);
    stale.add(row);
    writes?.add(row);
    reconciler.addRow(row);
  }
  const verdict = verdictOf({
    run,
    windows,
    ledger: summarizer.result(),
    stale: stale.result(windows),
    writes: writes === null ? null : { ...writes.result(), busy: busy.result() },
    direct: await judgeDirect(folder, run),
    reconciliation: reconciler.result(),
    proxy: hasProxy ? witness.result() : null,
    kernel:
      run.kind === 'experiment'
        ? (JSON.parse(await readFile(join(folder, runFiles.kernel), 'utf8')) as Record<string, number>)
        : {},
    ledgerSha256: await sha256Of(ledgerPath),
  });
  await writeFile(join(folder, runFiles.verdict), `${JSON.stringify(verdict, null, 2)}\n`);
  return verdict;
}

/** Everything a verdict is made of. */
export interface Evidence {
  readonly run: RunRecord;
  readonly windows: readonly RestartWindow[];
  readonly ledger: LedgerSummary;
  readonly stale: number;
  readonly writes: Verdict['writes'];
  readonly direct: Verdict['direct'];
  readonly reconciliation: Reconciliation;
  /** null where no proxy of ours was part of the run. */
  readonly proxy: ProxyWitness | null;
  /** Change of the kernel's counters over the load. */
  readonly kernel: Record<string, number>;
  readonly ledgerSha256: string;
}

/** The verdict. Pure. */
export function verdictOf(evidence: Evidence): Verdict {
  const { run, windows, ledger, stale, writes, direct, reconciliation, proxy, kernel, ledgerSha256 } = evidence;
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
  };
  const expectations = checkExpectations(expectOf(run), measured);
  const missed = expectations
    .filter(({ met }) => !met)
    .map((row) => `Expected of ${row.what}: ${row.expected}; measured: ${row.measured}.`);
  const doubts =
    run.aborted === null ? distrust(run, ledger, windows, { proxy, writes, reconciliation }) : [run.aborted];
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
    citation: '',
  } satisfies Verdict;
  return { ...verdict, citation: citationLine(verdict, run, ledgerSha256) };
}

function restartVerdict(
  window: RestartWindow,
  ledger: LedgerSummary,
  { predicted, queue }: { predicted: number | null | undefined; queue: number | null },
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
  const backUs = Math.max(window.readyUs ?? run.durationMs * 1000, window.firstAnswerUs ?? 0);
  return { fromUs: window.deployBeginUs, toUs: backUs + checkUs };
}

/** The check of the writes; null where the database was not read. */
async function openWriteCheck(folder: string, idPrefix: string): Promise<WriteCheck | null> {
  const path = join(folder, runFiles.notes);
  if (!existsSync(path)) return null;
  let state: DatabaseState | null = null;
  const notes: StoredNote[] = [];
  for await (const line of readGzippedLines(path)) {
    if (state === null) state = JSON.parse(line) as DatabaseState;
    else notes.push(JSON.parse(line) as StoredNote);
  }
  return state === null ? null : new WriteCheck(state, notes, idPrefix);
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

async function* readGzippedLines(path: string): AsyncGenerator<string> {
  const unzipped = createGunzip();
  const source = createReadStream(path);
  source.on('error', (error) => unzipped.destroy(error));
  for await (const line of createInterface({ input: source.pipe(unzipped) })) if (line !== '') yield line;
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
