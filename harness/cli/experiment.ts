/** `experiment`: list them, show what one would do, or run one, several times, over the values of a field, or all. */
import { randomInt } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { loadExperiment } from '../experiment/catalog.ts';
import { holdEngine, type HeldEngine } from '../conduct/hold-engine.ts';
import { requestOf, type RunRequest } from '../conduct/run-request.ts';
import { conductBesideControls } from '../conduct/controls.ts';
import { closingLines, exitCodeOf } from './print/closing.ts';
import { audienceOf } from './print/progress.ts';
import { insideLines } from './print/look-inside.ts';
import { conductorOf } from './runs/judging.ts';
import { interruptedCode, type Context } from './context.ts';
import { dryRunText } from './print/dry-run.ts';
import { highestSeed, wholeNumber } from './options/option-values.ts';
import { runAll } from './runs/all.ts';
import { changesOf, type RunningOptions } from './options/run-options.ts';
import { runSweep } from './runs/sweep.ts';
import { runTrials } from './runs/trials.ts';
import { requireWritable } from './runs/writable-folder.ts';
import { jsonText } from '../base/foreign-text.ts';

/** Options as they are typed. */
export interface ExperimentOptions extends RunningOptions {
  readonly variant?: string;
  readonly variants?: true;
  readonly sweep?: readonly string[];
  readonly trials?: string;
  readonly dryRun?: true;
  readonly keep?: true;
  readonly baseline?: true;
}

/** The most trials at once. */
const mostTrials = 1_000;

/** Runs what was asked for; the exit code says what came of it. */
export async function experimentCommand(context: Context, id: string, options: ExperimentOptions): Promise<number> {
  const seed =
    options.seed === undefined ? randomInt(0, highestSeed) : wholeNumber('--seed', options.seed, 0, highestSeed);
  const reportsFolder = options.out === undefined ? join(context.projectFolder, 'reports') : resolve(options.out);
  if (id === 'all') {
    refuseForAll(options);
    await requireWritable(reportsFolder);
    const how = { command: `experiment all, seed ${seed}`, wait: options.wait !== false };
    return await holdEngine(audienceOf(context), how, (engine) =>
      runAll(context, engine, {
        seed,
        reportsFolder,
        json: options.json === true,
        variants: options.variants === true,
        options,
      }),
    );
  }
  if (options.variants === true) {
    throw new HarnessError('option-conflict', '--variants goes with `all`; a single one is --variant <name>.');
  }
  const file = await loadExperiment(id);
  const changes = changesOf(file, options);
  const asked = requestOf({
    file,
    variant: options.variant ?? null,
    changes,
    seed,
    reportsFolder,
    keep: options.keep === true,
    baseline: options.baseline === true,
    withControls: options.controls !== false,
  });
  const trials = wholeNumber('--trials', options.trials ?? '1', 1, mostTrials);
  if (options.dryRun === true) {
    if (options.sweep !== undefined) {
      throw new HarnessError('option-conflict', '--dry-run shows one run, and --sweep asks for several.', {
        hint: 'Give the field one value with --set to see what that would do.',
      });
    }
    context.stdout(await dryRunText(asked.experiment, seed));
    return exitCodes.pass;
  }
  if (asked.keep && options.sweep !== undefined) {
    throw new HarnessError('option-conflict', '--keep leaves one lab standing, and --sweep makes several.', {
      hint: 'Give the field one value with --set to look into that lab.',
    });
  }
  await requireWritable(reportsFolder);
  const wait = options.wait !== false;
  if (options.sweep !== undefined) return await runSweep(context, asked, { sweeps: options.sweep, trials, wait });
  // A series has the engine to itself from its first run to its last.
  const command = `${asked.command}${trials > 1 ? ` --trials ${trials}` : ''}`;
  return await holdEngine(audienceOf(context), { command, wait }, (engine) =>
    trials > 1
      ? runTrials(context, engine, asked, { trials, json: options.json === true })
      : runOne(context, engine, asked, options),
  );
}

async function runOne(
  context: Context,
  engine: HeldEngine,
  asked: RunRequest,
  options: ExperimentOptions,
): Promise<number> {
  const { folder, verdict, kept } = await conductBesideControls(conductorOf(context, engine), asked);
  if (options.json === true) context.stdout(jsonText(verdict));
  else context.stdout(closingLines(verdict, relative(process.cwd(), folder), context.colours.stdout));
  for (const line of kept === null ? [] : insideLines(kept)) context.stderr(`${line}\n`);
  if (context.signal.aborted) return interruptedCode(context.signal);
  return exitCodeOf(verdict.verdict);
}

function refuseForAll(options: ExperimentOptions): void {
  const given = (['variant', 'sweep', 'trials', 'dryRun', 'claim', 'keep', 'baseline'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (given === undefined) return;
  const option = given.replace(/[A-Z]/u, (letter) => `-${letter.toLowerCase()}`);
  throw new HarnessError('option-conflict', `\`all\` runs every experiment: --${option} is for a single one.`);
}
