/** One run of one experiment, from the engine to the closing line. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { conductRun } from '../conduct/conduct-run.ts';
import { connectEngine } from '../lab/engine.ts';
import { labImageTag, requireImage } from '../lab/image.ts';
import type { MeasuringLock } from '../lab/measuring-lock.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { Change } from '../experiment/fields.ts';
import { newRunId, runFiles } from '../run/run-folder.ts';
import { deploySchedule } from '../experiment/deploy-schedule.ts';
import type { Controls } from '../verdict/controls.ts';
import { judgeRun } from '../verdict/judge.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { closeRun } from './close-run.ts';
import type { Context } from './context.ts';
import { insideLines } from './print/look-inside.ts';
import { measureAlone } from './measure-alone.ts';
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
  const runId = newRunId(new Date());
  const schedule = deploySchedule(experiment.deploy, options.seed, experiment.load.ratePerSecond);
  const steps = runSteps(runId, schedule.durationMs(schedule.wanted), options.baseline);
  const place = options.place === undefined ? '' : `${options.place}, `;
  const name = `${experiment.id}${options.variant === null ? '' : ` ${options.variant}`}`;
  const progress = startProgress(context, { title: `${place}${name}`, steps });
  try {
    progress.phase(steps[0].text);
    const { docker, facts } = await connectEngine();
    const image = labImageTag(facts.architecture);
    await requireImage(docker, image);
    const folder = join(options.reportsFolder, experiment.id, runId);
    const { signal } = context;
    const setting = { docker, facts, image, folder, watcher: progress, signal, lockTroubles: () => lock.troubles() };
    const asked = {
      ...options,
      runId,
      changes: options.changes.map(([path, value]): [string, Change[1]] => [path, value]),
    };
    const { kept, removed } = await conductRun(setting, experiment, asked);
    if (options.controls !== null) {
      await writeFile(join(folder, runFiles.controls), `${JSON.stringify(options.controls, null, 2)}\n`);
    }
    const verdict = await judgeRun(folder);
    await closeRun(context, folder, runId);
    await removed;
    return { folder, verdict, kept: kept === null ? [] : insideLines(kept) };
  } finally {
    progress.end();
  }
}
