/** `experiment`: lists experiments, shows what one would do, or runs one, several times, over values of a field, or all. */
import { join, resolve } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { jsonText } from '../base/foreign-text.ts';
import { requestOf, type RunRequest } from '../conduct/run-request.ts';
import { loadExperiment } from '../experiment/catalog.ts';
import type { Context } from './context.ts';
import { parseShard } from '../gate/shard.ts';
import { isCheckout } from '../project.mjs';
import { givenOption } from './options/option-words.ts';
import { seedOf, wholeNumber } from './options/option-values.ts';
import { changesOf, claimOf, runOptions } from './options/run-options.ts';
import { ownAppOf } from './options/own-app.ts';
import { exitCodeOf, summaryLines } from './print/run-summary.ts';
import { experimentList } from './print/experiment-list.ts';
import { insideLines } from './print/look-inside.ts';
import { command, type Typed } from './command.ts';
import { requireWritable } from './runs/out-folder.ts';

const options = {
  '--variant <name>': 'a named variant of it (`list` has their names)',
  '--variants': 'with `all`: every variant too (half an hour)',
  '--sweep <path=a,b,c>': ['run it at each value of a field, or of two: one table, one chart', 'again'],
  '--trials <n>': 'repeat the whole run on fresh labs, and add up',
  '--claim <percent>':
    'require this share of clean restarts, with --trials of all together; inconclusive if too few were made',
  '--shard <i/n>':
    'make only this part of the --trials, as one of n machines with the same --seed (or auto: as GitLab or ' +
    'Kubernetes number them); `merge` adds up',
  '--dry-run': 'print units, proxy file and schedule; start nothing',
  '--keep': 'leave the lab standing, to look inside; with --trials the last one',
  '--capacity': 'before and after the load, 3 s of autocannon: what the site can do',
  ...runOptions,
} as const;
type ExperimentOptions = Typed<typeof options>;

/** The most trials at once. */
const mostTrials = 1_000;

/** Exits with what came of the runs. */
export const experiment = command({
  name: 'experiment',
  about: 'run one experiment, or all, or list them',
  takes: [['<id>', 'an experiment such as E5, all, or list']],
  options,
  ...(isCheckout && { notes: 'Options come after --, or npm takes them for its own.' }),
  examples: [
    'npm run experiment list',
    'npm run experiment E5',
    'npm run experiment all',
    'npm run experiment E5 -- --rate 1000 --restarts 20',
    'npm run experiment E5 -- --claim 99 --restarts 299',
    'npm run experiment E5 -- --claim 99.9 --restarts 100 --trials 30 --seed 7 --shard 2/4 --out shard-2',
    'npm run experiment E5 -- --variant as-seeded',
    'npm run experiment E1 -- --set app.warmupMs=1000 --dry-run',
    'npm run experiment E3 -- --sweep proxy.retry.initialIntervalMs=0,100,250,500',
    'npm run experiment E1 -- --app service.yaml',
    'npm run experiment E1 -- --seed 7 --json > verdict.json',
  ],
  run: async (context, id, options) => {
    const reportsFolder = options.out === undefined ? context.reportsFolder : resolve(options.out);
    if (id === 'list') {
      context.stdout(await experimentList(reportsFolder, join(context.reportsFolder, 'reference')));
      return exitCodes.pass;
    }
    refuseConflicts(id, options);
    const seed = seedOf(options.seed);
    if (id === 'all') {
      await requireWritable(reportsFolder);
      const { runAll } = await import('./runs/all.ts');
      return await runAll(context, { seed, reportsFolder, variants: options.variants === true, options });
    }
    const trials = wholeNumber('--trials', options.trials ?? '1', 1, mostTrials);
    const isSeries = trials > 1 && options.sweep === undefined;
    const asked = await requestFor(id, options, { seed, reportsFolder, isSeries });
    if (options.dryRun === true) {
      const { dryRunText } = await import('./print/dry-run.ts');
      context.stdout(await dryRunText(asked.experiment, seed, asked.own));
      return exitCodes.pass;
    }
    await requireWritable(reportsFolder);
    const how = { trials, json: options.json === true, wait: options.wait !== false };
    if (options.sweep !== undefined) {
      const { runSweep } = await import('./runs/sweep.ts');
      return await runSweep(context, asked, { ...how, sweeps: options.sweep });
    }
    if (!isSeries) return await one(context, asked, how);
    const { runTrials } = await import('./runs/trials.ts');
    const shard = options.shard === undefined ? null : parseShard(options.shard);
    if (shard !== null && shard.of > trials) {
      throw new HarnessError(
        'option-conflict',
        `--shard ${shard.index}/${shard.of} of ${trials} trials: a part would have none.`,
      );
    }
    const claim = options.claim === undefined ? null : claimOf(options.claim);
    return await runTrials(context, asked, { ...how, shard, claim });
  },
});

async function requestFor(
  id: string,
  options: ExperimentOptions,
  { seed, reportsFolder, isSeries }: { seed: number; reportsFolder: string; isSeries: boolean },
): Promise<RunRequest> {
  const file = await loadExperiment(id);
  const own = await ownAppOf(options.app);
  // Of a series all runs together are to bear the claim.
  const changes = changesOf(file, isSeries ? { ...options, claim: undefined } : options);
  return requestOf({
    ...{ file, own, changes, seed, reportsFolder },
    variant: options.variant ?? null,
    keep: options.keep === true,
    capacity: options.capacity === true,
    withControls: options.controls !== false,
  });
}

async function one(
  context: Context,
  asked: RunRequest,
  { json, wait }: { json: boolean; wait: boolean },
): Promise<number> {
  const { conductBesideControls } = await import('../conduct/controls.ts');
  const { withConductor } = await import('./runs/conductor.ts');
  const { folder, verdict, kept } = await withConductor(context, { command: asked.command, wait }, (conductor) =>
    conductBesideControls(conductor, asked),
  );
  context.stdout(json ? jsonText(verdict) : summaryLines(verdict, folder, context));
  for (const line of kept === null ? [] : insideLines(kept)) context.stderr(`${context.worded(line)}\n`);
  return exitCodeOf(verdict.verdict);
}

/** @throws {HarnessError} naming options that make no sense together */
function refuseConflicts(id: string, options: ExperimentOptions): void {
  const conflict = (sentence: string, hint?: string): never => {
    throw new HarnessError('option-conflict', sentence, { hint });
  };
  if (id === 'all') {
    const notOfAll = ['variant', 'sweep', 'trials', 'shard', 'dryRun', 'claim', 'keep', 'capacity'] as const;
    const given = givenOption(options, notOfAll);
    if (given !== undefined) conflict(`\`all\` runs every experiment: ${given} is for a single one.`);
    return;
  }
  if (options.shard !== undefined && (options.trials === undefined || options.seed === undefined)) {
    const hint = 'Such as --trials 30 --seed 7 --shard 2/4, the same on each machine but for the part.';
    conflict('--shard takes its part of --trials, and needs the --seed that all parts share.', hint);
  }
  if (options.variants === true) conflict('--variants goes with `all`; a single one is --variant <name>.');
  if (options.sweep === undefined) return;
  if (options.dryRun === true) {
    const hint = 'Give the field one value with --set to see what that would do.';
    conflict('--dry-run shows one run, and --sweep asks for several.', hint);
  }
  if (options.shard !== undefined) conflict('--shard takes its part of --trials, and --sweep makes none.');
  if (options.keep === true) {
    const hint = 'Give the field one value with --set to look into that lab.';
    conflict('--keep leaves one lab standing, and --sweep makes several.', hint);
  }
}
