/** One run of one experiment, from the engine to the closing line. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectEngine, engineBack } from '../lab/engine.ts';
import { watchEngine, type EngineEvent } from '../lab/engine-events.ts';
import { fingerprintOf } from '../lab/fingerprint.ts';
import { counterChange, readKernelCounters } from '../lab/kernel-counters.ts';
import { labImageTag, requireImage } from '../lab/image.ts';
import { bootLab, type Lab } from '../lab/lab.ts';
import type { MeasuringLock } from '../lab/measuring-lock.ts';
import type { Baseline } from '../load/baseline.ts';
import { installBaseline, labBaseline } from '../measure/lab-baseline.ts';
import { baselinesOf } from '../measure/local-baseline.ts';
import type { Experiment } from '../scenario/experiment.ts';
import type { Change } from '../scenario/fields.ts';
import { newRunId, runFiles } from '../scenario/run-folder.ts';
import { countWitnessLines } from '../scenario/witness-lines.ts';
import type { ExperimentRun } from '../scenario/run-record.ts';
import { deploySchedule } from '../timeline/deploy-schedule.ts';
import { writeTimeline } from '../timeline/from-files.ts';
import type { Controls } from '../verdict/controls.ts';
import { judgeRun } from '../verdict/judge.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { closeRun } from './close-run.ts';
import { collectDirect, collectNotes, collectRecords, restartSite } from './collect.ts';
import type { Context } from './context.ts';
import { insideLines } from './look-inside.ts';
import { measureAlone } from './measure-alone.ts';
import { connectionsOf, measureInLab, type Measurement } from './measure-in-lab.ts';
import { startProgress } from './progress.ts';
import { runSteps } from './run-steps.ts';

/** What a run is asked for, the experiment's own data apart. */
export interface RunOptions {
  readonly seed: number;
  /** Folder that gets `E5/<run id>/`. */
  readonly reportsFolder: string;
  /** Name of the variant, and what it is about. */
  readonly variant: string | null;
  readonly variantAbout: string | null;
  /** What was set of it beside the variant. */
  readonly changes: readonly Change[];
  /** Leave the lab standing. */
  readonly keep: boolean;
  /** Before and after the load, have autocannon tell what the site can do. */
  readonly baseline: boolean;
  /** The runs that this one is to be compared with; null where it is made without them. */
  readonly controls: Controls | null;
  /** The command that repeats this run. */
  readonly command: string;
  /** Which of several runs this is, such as `trial 2 of 5`; shown while it goes on. */
  readonly place?: string;
}

/** What a run left. */
export interface RunResult {
  readonly folder: string;
  readonly verdict: Verdict;
  /** How to look into the lab and take it down, a line each, when it was kept. */
  readonly kept: readonly string[];
}

/**
 * Runs the experiment and writes its folder; whatever happens, the lab is taken down (unless it is to be kept). Waits
 * for another's measurement on the same engine to end.
 * @throws {HarnessError} when the machine cannot run it, or the run was cut short before the load began
 */
export async function runExperiment(context: Context, experiment: Experiment, options: RunOptions): Promise<RunResult> {
  return await measureAlone(context, { command: options.command, wait: true }, (lock) =>
    runAlone(context, experiment, options, lock),
  );
}

async function runAlone(
  context: Context,
  experiment: Experiment,
  options: RunOptions,
  lock: MeasuringLock,
): Promise<RunResult> {
  const { signal } = context;
  const runId = newRunId(new Date());
  const schedule = deploySchedule(experiment.deploy, options.seed, experiment.load.ratePerSecond);
  const steps = runSteps(runId, schedule.durationMs(schedule.wanted), options.baseline);
  const place = options.place === undefined ? '' : `${options.place}, `;
  const name = `${experiment.id}${options.variant === null ? '' : ` ${options.variant}`}`;
  const progress = startProgress(context, { title: `${place}${name}`, steps });
  progress.phase(steps[0].text);
  const { docker, facts } = await connectEngine();
  const image = labImageTag(facts.architecture);
  await requireImage(docker, image);
  const watch = await watchEngine(docker, runId);
  const lab = await bootLab(docker, {
    runId,
    experiment,
    image,
    facts,
    connections: connectionsOf(experiment),
    keep: options.keep,
    signal,
  }).catch((error: unknown) => {
    watch.end();
    throw error;
  });
  const remove = async (): Promise<void> => {
    if (!options.keep) await lab.remove();
  };
  try {
    const [fingerprint, before] = await Promise.all([
      fingerprintOf(lab.server, facts, image),
      readKernelCounters(lab.server),
    ]);
    const run: ExperimentRun = {
      kind: 'experiment',
      schema: 1,
      runId,
      experiment,
      variant: options.variant,
      variantAbout: options.variantAbout,
      changes: options.changes.map(([path, value]) => [path, value]),
      seed: options.seed,
      command: options.command,
      startedAt: new Date().toISOString(),
      originMonotonicUs: null,
      wallOffsetUs: null,
      deployBeginsMs: schedule.beginsMs.slice(0, schedule.wanted),
      witnessLines: {},
      durationMs: schedule.durationMs(schedule.wanted),
      fingerprint,
      aborted: null,
      unfinished: 0,
      troubles: [],
    };
    const takeBaseline = async (when: string): Promise<Baseline | null> => {
      if (!options.baseline || signal.aborted) return null;
      progress.phase(`baseline ${when} the load`);
      return await labBaseline(lab);
    };
    if (options.baseline) await installBaseline(lab);
    const baselineBefore = await takeBaseline('before');
    progress.phase('load');
    const measured = await measureInLab(lab, run, schedule, { progress, signal });
    const measurement = { ...measured, troubles: [...measured.troubles, ...lock.troubles()] };
    const used = {
      ...run,
      deployBeginsMs: schedule.beginsMs.slice(0, measurement.restarts),
      durationMs:
        measurement.due === null
          ? schedule.durationMs(measurement.restarts)
          : (measurement.due * 1000) / experiment.load.ratePerSecond,
    };
    progress.phase('collecting records');
    const folder = join(options.reportsFolder, experiment.id, runId);
    if (measurement.aborted !== null) await engineBack(docker);
    const kernel = await readKernelCounters(lab.server).then(
      (after) => counterChange(before, after),
      (error: unknown) => {
        if (measurement.aborted === null) throw error;
        return {};
      },
    );
    await saveRecords(folder, lab, used, measurement, { kernel, events: watch.end() });
    if (options.controls !== null) {
      await writeFile(join(folder, runFiles.controls), `${JSON.stringify(options.controls, null, 2)}\n`);
    }
    if (options.baseline) {
      const baselines = await baselinesOf('GET /livez, through the proxy', baselineBefore, await takeBaseline('after'));
      await writeFile(join(folder, runFiles.baseline), `${JSON.stringify(baselines, null, 2)}\n`);
    }
    await collectWrites(lab, folder, measurement, options.keep);
    const removal = remove();
    // It is awaited below; until then what goes wrong with the verdict is told first.
    removal.catch(() => undefined);
    progress.phase('verdict and report');
    const verdict = await judgeRun(folder);
    await closeRun(context, folder, runId);
    await removal;
    return { folder, verdict, kept: options.keep ? insideLines(lab) : [] };
  } catch (error) {
    // What went wrong is what is told, not that the lab could then not be removed: the next run does that.
    await remove().catch(() => undefined);
    throw error;
  } finally {
    progress.end();
    watch.end();
  }
}

async function saveRecords(
  folder: string,
  lab: Lab,
  run: ExperimentRun,
  measurement: Measurement,
  { kernel, events }: { kernel: Record<string, number>; events: readonly EngineEvent[] },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const record: ExperimentRun = {
    ...run,
    originMonotonicUs: measurement.originUs,
    wallOffsetUs: measurement.wallOffsetUs,
    aborted: measurement.aborted,
    unfinished: measurement.unfinished,
    troubles: [...measurement.troubles],
  };
  const writeRecord = async (of: ExperimentRun): Promise<void> =>
    await writeFile(join(folder, runFiles.run), `${JSON.stringify(of, null, 2)}\n`);
  // Before anything else, so that what is collected of it is a run whatever happens.
  await writeRecord(record);
  await collectRecords(lab, folder, { mayBeGone: measurement.aborted !== null });
  if (measurement.directOriginUs !== null && measurement.originUs !== null) {
    const probed = collectDirect(lab, folder, measurement.directOriginUs - measurement.originUs);
    await probed.catch((error: unknown) => {
      if (measurement.aborted === null) throw error;
    });
  }
  await writeFile(join(folder, runFiles.engineEvents), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await writeFile(join(folder, runFiles.kernel), `${JSON.stringify(kernel, null, 2)}\n`);
  const said = measurement.deployer.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(join(folder, runFiles.deployer), said);
  await writeTimeline(folder, record);
  await writeRecord({ ...record, witnessLines: await countWitnessLines(folder) });
}

/** Reads the database with every process stopped; what cannot be read is missing, which the verdict says. */
async function collectWrites(lab: Lab, folder: string, { aborted }: Measurement, keep: boolean): Promise<void> {
  if (aborted !== null) return;
  await collectNotes(lab, folder);
  if (keep) await restartSite(lab);
}
