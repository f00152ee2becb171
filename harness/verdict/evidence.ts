/** Everything that a verdict is made of, read from a run's folder. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { EngineEvent } from '../run/engine-events.ts';
import { readLedgerRows } from '../run/read-ledger.ts';
import { isDropped } from '../run/ledger.ts';
import { sha256OfFile } from '../run/file-hash.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import { type ExperimentRun, type RunRecord, type ServiceRun } from '../run/run-record.ts';
import { countWitnessLines } from '../run/witness-lines.ts';
import { readAccessLog } from '../run/access-log.ts';
import { CheckStates } from '../run/check-states.ts';
import { proxyMomentsOf, readTimelineFiles, timelineOf } from '../run/timeline-from-files.ts';
import { readProxyLogHead, readProxyLogLines } from '../run/proxy-log.ts';
import { readTimeline } from '../run/read-timeline.ts';
import { wallClockUs } from './cause.ts';
import { controlDoubts, type Control } from './controls.ts';
import { probePrefixOf } from './direct-check.ts';
import { judgeDirect, openWriteCheck, readControls, readKernel, readQueues } from './evidence-files.ts';
import { FailedTries } from './failed-tries.ts';
import { JoinedFile } from './joined.ts';
import { journalDoubts } from './journal-doubts.ts';
import { LedgerReading } from './ledger-reading.ts';
import type { LedgerSummary, Span } from './ledger-summary.ts';
import { planDoubts } from './plan-doubts.ts';
import { ProxyWitnessCount, type ProxyWitness } from './proxy-witness.ts';
import { Reconciler } from './reconcile.ts';
import { RequestTable } from './request-table.ts';
import { restartWindows, type RestartWindow } from './restart-windows.ts';
import type { AloneTask } from './row-alone.ts';
import type { CountTask } from './row-counts.ts';
import { readSite } from './site-reading.ts';
import { outOfRotation } from './stale.ts';
import { unplannedEnds, type UnplannedEnd } from './unplanned-ends.ts';
import type { Calibration, Reconciliation, Tally, Verdict } from './verdict.ts';
import { WaitCount, type Waits } from './waits.ts';
import { witnessDoubts } from './witness-files.ts';
import { slotCount } from '../experiment/load-schedule.ts';
import { labDeadlineMs } from '../run/site-requests.ts';

/** Everything a verdict is made of. */
export interface Evidence {
  readonly run: RunRecord;
  readonly windows: readonly RestartWindow[];
  readonly ledger: LedgerSummary;
  readonly stale: number;
  readonly dropWindows: Verdict['dropWindows'];
  /** null where nothing was to change. */
  readonly hasChanged: boolean | null;
  /** A service of the user's did not answer steadily again in the time it was given. */
  readonly isNotBack: boolean;
  readonly waits: Waits;
  /** Of each restart, the most connections that waited at the site's port. */
  readonly queues: readonly (number | null)[];
  readonly controls: readonly Control[] | null;
  readonly calibration: Calibration | null;
  /** Witnesses that are missing or do not cover the run, each a sentence. */
  readonly witnessDoubts: readonly string[];
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

/**
 * Reads a run's folder, and writes its joined.ndjson.gz on the way.
 * @throws {HarnessError} naming the file that is missing, cut short or damaged
 */
export async function readEvidence(folder: string): Promise<Evidence> {
  const { record: run } = await openRun(folder);
  const timeline = await readTimeline(join(folder, runFiles.timeline));
  const path = join(folder, runFiles.ledger);
  const seen = restartWindows(timeline);
  const windows = run.kind === 'measure' ? await steadyByLedger(path, seen, rateOf(run)) : seen;
  const about: CountTask = {
    timeline,
    windows,
    slots: slotCount(rateOf(run), run.durationMs),
    spans: windows.map((window) => atRiskSpan(window, run)),
    alone: aloneTask(run),
    outOfRotationUs:
      run.kind === 'experiment'
        ? outOfRotation(windows, timeline, run.experiment)
        : windows.map(({ retireUs }) => retireUs),
  };
  const ledger = await LedgerReading.begin({ path, ...about });
  try {
    return {
      run,
      windows,
      ...(run.kind === 'experiment'
        ? await readExperiment(folder, run, about, ledger)
        : await readService(run, about, ledger)),
      hashes: { experiment: experimentHash(run), ledger: await sha256OfFile(path) },
    };
  } finally {
    await ledger.close();
  }
}

/**
 * The conductor learns four times a second how a service does; the ledger tells to a slot from when on it was steady: from
 * the end of the deploy, or from the slot after the last that was dropped before the service was called steady.
 */
async function steadyByLedger(
  path: string,
  windows: readonly RestartWindow[],
  ratePerSecond: number,
): Promise<RestartWindow[]> {
  const lastBadUs = windows.map(() => -Infinity);
  if (windows.some(({ steadyUs }) => steadyUs !== null)) {
    for await (const rows of readLedgerRows(path)) {
      for (const { dueUs } of rows.filter(({ outcome }) => isDropped(outcome))) {
        for (const [index, { deployBeginUs, steadyUs }] of windows.entries()) {
          if (steadyUs === null || dueUs < deployBeginUs || dueUs >= steadyUs) continue;
          lastBadUs[index] = Math.max(lastBadUs[index] ?? -Infinity, dueUs);
        }
      }
    }
  }
  return windows.map((window, index) => {
    if (window.steadyUs === null) return window;
    const afterUs = (lastBadUs[index] ?? -Infinity) + 1e6 / ratePerSecond;
    return { ...window, steadyUs: Math.max(window.deployEndUs ?? window.deployBeginUs, afterUs) };
  });
}

/** Of nearly every row. */
const noFaults: readonly string[] = [];

type Read = Omit<Evidence, 'run' | 'windows' | 'hashes'>;

/** Reads an experiment's ledger beside everything that other witnesses saw. */
async function readExperiment(
  folder: string,
  run: ExperimentRun,
  about: CountTask,
  ledger: LedgerReading,
): Promise<Read> {
  const { timeline, windows, slots, spans } = about;
  const { experiment } = run;
  const idPrefix = idPrefixOf(run);
  const hasProxy = experiment.proxy.kind !== 'none';
  const isOnlyTry = experiment.proxy.retry === undefined;
  const originMonotonicUs = run.originMonotonicUs ?? 0;
  const originWallUs = originMonotonicUs + (run.wallOffsetUs?.[0] ?? 0);

  const table = new RequestTable(slots, idPrefix);
  const witness = new ProxyWitnessCount(slots, idPrefix);
  const tries = new FailedTries();
  const checks = new CheckStates();
  const reading = readSite({
    path: join(folder, runFiles.requestLog),
    slots,
    prefix: idPrefix,
    probePrefix: probePrefixOf(run.runId),
  });
  // It is asked for below; what is wrong with another file is told first.
  reading.catch(() => undefined);
  const files = await readTimelineFiles(folder);
  const moments = proxyMomentsOf(run, files);
  for await (const lines of readProxyLogLines(folder)) {
    for (const line of lines) {
      tries.addLogLine(line);
      checks.addLogLine(line);
    }
  }
  for await (const lines of hasProxy ? readAccessLog(join(folder, runFiles.accessLog)) : []) {
    for (const access of lines) {
      witness.addLine(access);
      tries.addAnswer(access);
      table.addAccess(access);
      if (access.requestId.startsWith(run.runId)) moments.add(access);
    }
  }
  const { columns, probed, busy } = await reading;
  table.useSite(columns);
  const { engine } = files;
  const unplanned = unplannedEnds(timeline, windows);
  const writes = await openWriteCheck(folder, { idPrefix, slots });

  const reconciler = new Reconciler({
    isOnlyTry,
    hasProxy,
    hasSiteLog: true,
    originMonotonicUs,
    originWallUs,
    wallClockUs: wallClockUs + movedUs(run),
    checkIntervalUs: (experiment.proxy.check?.intervalMs ?? 0) * 1000,
    table,
    windows,
    unplanned,
    tries,
    checks,
    engine,
    proxyLastWallUs: table.proxyLastWallUs,
  });
  const waits = new WaitCount([...spans, ...unplanned.map(spanOf)], originWallUs, originMonotonicUs, hasProxy);
  const joined = new JoinedFile(join(folder, runFiles.joined), windows);
  for await (const { rows, faults } of ledger.rows()) {
    for (const [index, row] of rows.entries()) {
      witness.addRow(row);
      const found = reconciler.addRow(row, faults.get(index) ?? noFaults);
      waits.add(row, found.access, found.site);
      // Of several tries only the last one's error is known to be this request's.
      writes?.add(row, found.site, isOnlyTry && found.cause?.failure === 'refused');
      const full = joined.add(row, found);
      if (full !== undefined) await full;
    }
  }
  await joined.end();
  const { direct, doubts: directDoubts } = await judgeDirect(folder, run, { answers: probed, windows });
  const queues = await readQueues(folder, experiment, originMonotonicUs, spans);
  const kernel = await readKernel(folder);
  const beside = await readControls(folder);
  const counts = await ledger.counts();
  return {
    ...counts,
    // The journal tells what a lab's deploys changed.
    hasChanged: null,
    isNotBack: false,
    waits: waits.result(),
    queues: queues.result(),
    witnessDoubts: [
      ...planDoubts(run, windows),
      ...witnessDoubts(run, {
        timeline,
        timelineAgain: timelineOf(run, files, { moments, checks }),
        journalLines: files.journal.length,
        lines: await countWitnessLines(folder),
        proxyLog: await readProxyLogHead(folder),
        queueSamples: queues.samples,
        queueFirstUs: queues.siteFirstUs,
        queueWrongLine: queues.wrongLine,
        engine,
        kernel,
        answeredOnNew: answeredOf(counts.ledger.byConnection['new']),
        probed: direct?.due ?? null,
      }),
      ...journalDoubts(run, files.journal, columns.instanceSpans()),
      ...directDoubts,
      ...(beside.controls === null ? [] : controlDoubts(run, beside)),
    ],
    ...beside,
    unplanned,
    engine,
    writes: writes === null ? null : { ...writes.result(), busy },
    direct,
    reconciliation: reconciler.result(),
    proxy: hasProxy ? witness.result() : null,
    proxyTries: hasProxy ? tries.balance() : null,
    kernel,
  };
}

/** Of a service that the user runs the client is the only witness. */
async function readService(
  run: ServiceRun,
  { windows, spans, timeline }: CountTask,
  ledger: LedgerReading,
): Promise<Read> {
  const waits = new WaitCount(spans, 0, 0, false);
  const reconciler = new Reconciler({
    isOnlyTry: true,
    hasProxy: false,
    hasSiteLog: false,
    originMonotonicUs: 0,
    originWallUs: 0,
    wallClockUs,
    checkIntervalUs: 0,
    table: new RequestTable(0, idPrefixOf(run)),
    windows,
    unplanned: [],
    tries: new FailedTries(),
    checks: new CheckStates(),
    engine: [],
    proxyLastWallUs: 0,
  });
  for await (const { rows, faults } of ledger.rows()) {
    for (const [index, row] of rows.entries()) {
      const { access, site } = reconciler.addRow(row, faults.get(index) ?? noFaults);
      waits.add(row, access, site);
    }
  }
  const counts = await ledger.counts();
  const { listeners } = run;
  return {
    ...counts,
    hasChanged: windows.length === 0 ? null : counts.changeSeen || listeners?.before !== listeners?.after,
    isNotBack: timeline.some(({ kind }) => kind === 'not-steady') || (windows.length > 0 && counts.ledger.isGoneAtEnd),
    waits: waits.result(),
    queues: windows.map(() => null),
    // Of a service that the user runs there is no second one.
    controls: [],
    calibration: null,
    witnessDoubts: [],
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

/** How many got an answer, whatever it was. */
function answeredOf(tally: Tally | undefined): number {
  return Object.entries(tally?.outcomes ?? {})
    .filter(([outcome]) => outcome === 'ok' || outcome.startsWith('status-'))
    .reduce((sum, [, count]) => sum + count, 0);
}

/** How far the wall clock moved from the beginning of the load to its end, against CLOCK_MONOTONIC. */
function movedUs({ wallOffsetUs }: ExperimentRun): number {
  return wallOffsetUs === null ? 0 : Math.abs(wallOffsetUs[1] - wallOffsetUs[0]);
}

function spanOf({ atUs, untilUs }: UnplannedEnd): Span {
  return { fromUs: atUs, toUs: untilUs };
}

/**
 * From just before SIGTERM until the new process is ready and, where there is a check, has been seen by it twice; of a
 * user's service, until it has begun to answer steadily. To the end of the load where neither was seen.
 */
function atRiskSpan(window: RestartWindow, run: RunRecord): Span {
  const endUs = run.durationMs * 1000;
  if (run.kind === 'measure') return { fromUs: window.deployBeginUs, toUs: window.steadyUs ?? endUs };
  const checkUs = (run.experiment.proxy.check?.intervalMs ?? 0) * 2_000;
  // In a swap the old process leaves after the new one is ready.
  const backUs = Math.max(window.readyUs ?? endUs, window.firstAnswerUs ?? 0, window.exitUs ?? 0);
  return { fromUs: window.deployBeginUs, toUs: backUs + checkUs };
}

/** What a row is held against by itself: in the lab the schedule is drawn from the seed, of a service its status is told. */
function aloneTask(run: RunRecord): AloneTask {
  const rules = { idPrefix: idPrefixOf(run), ratePerSecond: rateOf(run) };
  if (run.kind === 'measure') {
    const { expectedStatus, timeoutMs } = run.service;
    return { ...rules, expectedStatus, deadlineMs: timeoutMs, plan: null };
  }
  const { runId, seed, experiment } = run;
  const { mix, connections } = experiment.load;
  return {
    ...rules,
    expectedStatus: null,
    deadlineMs: labDeadlineMs,
    plan: { runId, seed, load: { mix, connections } },
  };
}

/** What request ids of the load begin with; the slot's number follows. */
function idPrefixOf({ runId }: RunRecord): string {
  return `${runId}-1-`;
}

function rateOf(run: RunRecord): number {
  return run.kind === 'experiment' ? run.experiment.load.ratePerSecond : run.service.ratePerSecond;
}

/** Of the experiment as it ran, options applied, or of what was asked of a service. */
function experimentHash(run: RunRecord): string {
  return createHash('sha256')
    .update(JSON.stringify(run.kind === 'experiment' ? run.experiment : run.service))
    .digest('hex');
}
