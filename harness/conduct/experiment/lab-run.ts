/** One run of one experiment, from booting its lab to the files in its folder. Judging them is another's affair. */
import { join } from 'node:path';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { engineBack } from '../../lab/engine/engine.ts';
import { watchEngine, type EngineWatch } from '../../lab/engine/engine-events.ts';
import type { EngineEvent } from '../../run/files/engine-events.ts';
import { fingerprintOf } from '../../lab/fingerprint.ts';
import { readKernelCounters } from '../../lab/kernel-counters.ts';
import { ensureControlImage } from '../../lab/control-image.ts';
import { bootLab, type Lab } from '../../lab/lab.ts';
import { finishLedger } from '../../run/finish-ledger.ts';
import { capacitiesOf, installAutocannon, labCapacity } from '../capacity.ts';
import type { Capacity } from '../../run/capacity.ts';
import { oneLine } from '../../run/plain-file.ts';
import { runFiles } from '../../run/run-folder.ts';
import type { ExperimentRun } from '../../run/run-record.ts';
import { deploySchedule, type DeploySchedule } from '../../experiment/deploy-schedule.ts';
import { writeTimeline } from '../../run/timeline/timeline-from-files.ts';
import { collectRecords, type LabRunWriter } from './collect.ts';
import { hiddenPaths } from './hidden-paths.ts';
import { copyLedger, type LedgerCopy } from './ledger-copy.ts';
import { loadInLab, type Measurement } from './load-in-lab.ts';
import { connectionsOf, ledgerPathInClient } from './load-plans.ts';
import { ndjson, newRecord, rowBytes, RunWriter } from '../run-writer.ts';
import type { Progress } from '../audience.ts';
import type { HeldEngine } from '../hold-engine.ts';
import { usedExperiment, type RunRequest } from '../run-request.ts';
import { collectNotes, restartSite } from './stored-writes.ts';
import { withTimeout } from '../../base/timeout.ts';

/** Where a run is made. */
export interface LabRunSetting extends HeldEngine {
  readonly runId: string;
  /** The run's own folder; it is made. */
  readonly folder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Bytes of all that a run writes before its verdict, beside its rows. */
const otherBytes = 4 * 1024 * 1024;

const askMs = 20_000;

/**
 * Conducts a run. Once its load has begun it always leaves a folder that can be judged, as aborted where something went
 * wrong; before that, an error leaves nothing. Whatever happens, the lab is taken down, unless it is to be kept.
 * @returns the lab where it is kept, and when it is gone where it is not
 * @throws {HarnessError} when the machine cannot run it, or the run was cut short before the load began
 */
export async function runInLab(setting: LabRunSetting, request: RunRequest) {
  const { docker, facts, image, progress, signal, runId } = setting;
  const { experiment, keep, own } = request;
  const watch = await watchEngine(docker, runId);
  try {
    const connections = connectionsOf(experiment);
    const labImage =
      experiment.deploy.action === 'release'
        ? await ensureControlImage(docker, image, (line) => progress.note(line))
        : image;
    const lab = await bootLab(docker, {
      ...{ runId, experiment: usedExperiment(request), own, image: labImage, facts, connections, keep, signal },
      say: (line) => progress.note(line),
    }).catch((error: unknown) => {
      if (own === null || !(error instanceof HarnessError)) throw error;
      throw new HarnessError(error.code, own.hide(error.message), { hint: error.hint, cause: error });
    });
    const remove = async (): Promise<void> => {
      if (!keep) await withTimeout(askMs, 'Taking the lab down', lab.remove());
    };
    try {
      await conductIn(lab, setting, request, watch);
    } catch (error) {
      // What went wrong is what is told, not that the lab could then not be removed: the next run does that.
      await remove().catch(() => undefined);
      throw error;
    }
    const removed = remove();
    // It is awaited by the caller; until then what goes wrong with the verdict is told first.
    removed.catch(() => undefined);
    progress.phase('verdict and report');
    return { kept: keep ? lab : null, removed };
  } finally {
    watch.end();
  }
}

async function conductIn(lab: Lab, setting: LabRunSetting, request: RunRequest, watch: EngineWatch): Promise<void> {
  const { facts, image, folder, progress } = setting;
  const { experiment, capacity, keep } = request;
  const signal = AbortSignal.any([setting.signal, watch.broken]);
  const schedule = deploySchedule(experiment.deploy, request.seed, experiment.load.ratePerSecond);
  const [fingerprint, countersBefore] = await Promise.all([
    fingerprintOf(lab, facts, image),
    readKernelCounters(lab.server),
  ]);
  const capacityBefore = capacity ? await capacityOf(lab, setting, 'before') : null;
  const run = recordOf(setting.runId, request, schedule, fingerprint);
  const rows = (run.durationMs * experiment.load.ratePerSecond) / 1000;
  const writer = await RunWriter.begin(folder, run, otherBytes + rows * rowBytes);
  let copy: LedgerCopy | null = null;
  try {
    await writeEmptyWitnesses(writer);
    copy = await copyLedger(lab.client, {
      from: ledgerPathInClient,
      to: join(folder, runFiles.rawLedger),
      onFull: () => writer.release(),
    });
    progress.phase('load');
    // What keeps the clock from being written keeps the record from being written that comes at the end, and is told then.
    const began = (clock: Partial<ExperimentRun>): unknown => writer.know(clock).catch(() => undefined);
    const hide = request.own?.hide ?? ((text: string) => text);
    const measured = await loadInLab(lab, { ...run, experiment: usedExperiment(request) }, schedule, {
      ...{ progress, signal, began },
      own: request.own,
    });
    await copy.end();
    progress.phase('collecting records');
    const all = { ...measured, troubles: [...measured.troubles, ...setting.lock.troubles()] };
    const measurement = shownMeasurement(all, hide);
    const { aborted } = measurement;
    if (aborted !== null) await withTimeout(askMs, 'The engine', engineBack(setting.docker)).catch(() => undefined);
    const missing = await collectRecords(lab, writer, measurement, {
      countersBefore,
      hide: request.own === null ? null : hiddenPaths(request.own),
    });
    if (capacity) {
      const after = await capacityOf(lab, setting, 'after');
      const capacities = capacitiesOf('GET /livez, through the proxy', capacityBefore, after);
      await writer.text(runFiles.capacity, `${JSON.stringify(capacities, null, 2)}\n`);
    }
    if (aborted === null) missing.push(...(await collectNotes(lab, writer, request.own?.service)).map(hide));
    if (keep && aborted === null) await restartSite(lab);
    await writeRecords(writer, schedule, measurement, { missing, events: watch.end() });
  } catch (error) {
    await copy?.end();
    await keepWhatThereIs(writer, error);
  } finally {
    await writer.release();
  }
}

/** The deployer's words, and troubles, without secrets. */
function shownMeasurement(measured: Measurement, hide: (text: string) => string): Measurement {
  return {
    ...measured,
    troubles: measured.troubles.map(hide),
    firstWrites: measured.firstWrites.map((write) => ({ ...write, came: oneLine(hide(write.came)) })),
    deployer: measured.deployer.map((message) => {
      const { failure } = message as { failure?: string };
      return failure === undefined ? message : { ...message, failure: hide(failure) };
    }),
  };
}

/** A witness of which nothing was recorded is an empty file. */
async function writeEmptyWitnesses(writer: LabRunWriter): Promise<void> {
  const { timeline, deployer, engineEvents, journal, kernel, queues, requestLog, accessLog, proxyLog } = runFiles;
  const ofProxy = writer.record.experiment.proxy.kind === 'none' ? [] : [accessLog, proxyLog];
  for (const name of [timeline, deployer, engineEvents, journal, kernel, queues, requestLog, ...ofProxy]) {
    await writer.text(name, name === kernel ? '{}\n' : '');
  }
}

/** When something goes wrong under way, all that was recorded stays, and the run is called aborted. */
async function keepWhatThereIs(writer: LabRunWriter, error: unknown): Promise<void> {
  if (writer.record.originMonotonicUs === null) {
    await writer.discard();
    throw error;
  }
  await writer.know({ aborted: `The run was cut short: ${oneLine(messageOf(error))}.` });
  await writer.withReserve(() => finishLedger(writer.folder));
}

function recordOf(
  runId: string,
  { experiment, own, variant, variantAbout, changes, seed, command }: RunRequest,
  schedule: DeploySchedule,
  fingerprint: Record<string, string>,
): ExperimentRun {
  return {
    kind: 'experiment',
    ...newRecord({ runId, seed, command, fingerprint }),
    experiment,
    variant,
    variantAbout,
    ...(own !== null && { app: own.path }),
    changes: changes.map(([path, value]) => [path, value]),
    deployBeginsMs: schedule.beginsMs.slice(0, schedule.wanted),
    witnessLines: {},
    durationMs: schedule.durationMs(schedule.wanted),
  };
}

async function writeRecords(
  writer: LabRunWriter,
  schedule: DeploySchedule,
  measurement: Measurement,
  { missing, events }: { missing: readonly string[]; events: readonly EngineEvent[] },
): Promise<void> {
  const run = writer.record;
  const { due, restarts, originUs, wallOffsetUs, unfinished, troubles, firstWrites } = measurement;
  const lost = missing.find((sentence) => sentence.startsWith(runFiles.ledger));
  const aborted = measurement.aborted ?? lost ?? null;
  const record: ExperimentRun = {
    ...run,
    deployBeginsMs: schedule.beginsMs.slice(0, restarts),
    durationMs: due === null ? schedule.durationMs(restarts) : (due * 1000) / run.experiment.load.ratePerSecond,
    originMonotonicUs: originUs,
    wallOffsetUs,
    aborted,
    unfinished,
    ...(firstWrites.length > 0 && { firstWrites: [...firstWrites] }),
    troubles: aborted === null ? [...troubles, ...missing] : [...troubles],
  };
  await writer.text(runFiles.engineEvents, ndjson(events));
  await writer.withReserve(() => writeTimeline(writer.folder, record));
  await writer.know(record);
}

async function capacityOf(lab: Lab, { progress, signal }: LabRunSetting, when: string): Promise<Capacity | null> {
  if (signal.aborted) return null;
  if (when === 'before') await installAutocannon(lab);
  progress.phase(`capacity ${when} the load`);
  return await labCapacity(lab);
}
