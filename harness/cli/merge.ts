/** `merge`: decides over what the shards of a gate left, or adds up runs of one experiment, wherever they ran. */
import type { Experiment } from '../experiment/experiment.ts';
import { join, resolve } from 'node:path';
import { differences, flatFields } from '../experiment/differences.ts';
import { readBaselines } from '../gate/baseline.ts';
import { decide } from '../gate/decide.ts';
import { gateFoldersIn, readGates, type FoundRun } from '../gate/gate-folder.ts';
import type { GateFile } from '../gate/files/read-budgets.ts';
import { usageError } from '../gate/refusals.ts';
import type { Context } from './context.ts';
import { deliver } from './gate/deliver.ts';
import { baselinesFolder, planEntry, planOptionsFrom, readGateBudgets } from './gate/plan.ts';
import { claimOf } from './options/run-options.ts';
import { checkDelivery, deliveryOptions } from './options/delivery-options.ts';
import { command } from './command.ts';

/** Exits as the gate would. */
export const merge = command({
  name: 'merge',
  about: 'decide over what the shards of a gate wrote, or add up runs of one experiment into one claim',
  takes: [['<folders...>', 'each as a shard’s --out, or a folder that holds several; or runs']],
  options: {
    '--budgets <file>': 'another budgets file',
    '--claim <percent>': 'of runs: require this share of clean restarts of all together',
    '--json': 'gate.json, or the sums, on stdout, and nothing else there',
    '--out <folder>': 'where the result goes (default: reports/merged/)',
    ...deliveryOptions,
  },
  examples: [
    'npm run merge -- gate-1 gate-2',
    'npm run merge -- shard-1 shard-2 shard-3 shard-4 --claim 99.9',
    'npm run merge -- reports/E5/20261127T021148Z-e242 reports/E5/20261127T021501Z-9c04',
  ],
  run: async (context, folders, options) => {
    await checkDelivery(options);
    const out = options.out === undefined ? join(context.reportsFolder, 'merged') : resolve(options.out);
    const paths = folders.map((folder) => resolve(folder));
    const claim = options.claim === undefined ? null : claimOf(options.claim);
    const { mergeRuns, runsIn } = await import('./runs/merge-runs.ts');
    const alone = await runsIn(paths);
    if (alone.length > 0) return await mergeRuns(context, alone, { claim, json: options.json === true, out });
    if (claim !== null) {
      throw usageError('--claim is about runs, and these folders hold none that was made beside its controls.');
    }
    const { budgets, budgetsPath } = await readGateBudgets(context.projectFolder, options.budgets);
    const found = await gateFoldersIn(paths);
    const { asked, options: planned, attempts, runs } = await readGates(found);
    for (const run of runs) await refuseUnplanned(context, run, budgets, { options: planned, budgetsPath });
    const result = decide({
      file: budgets.file,
      alpha: budgets.alpha,
      entries: budgets.entries,
      asked,
      options: planned,
      attempts,
      baselines: await readBaselines(baselinesFolder(context)),
    });
    const to = { folder: join(out, 'gate'), budgetsPath, options };
    return await deliver(context, result, to);
  },
});

/** All fields but what the files of a service hold: a program need not be here to be merged. */
function fieldsOf({ service, ...experiment }: Experiment): Record<string, string> {
  return flatFields({ ...experiment, ...(service && { service: { ...service, contents: '' } }) });
}

/**
 * Refuses a run that does not hold, or is not the one that the entry asks for.
 * @throws {HarnessError} naming the folder and what differs
 */
async function refuseUnplanned(
  context: Context,
  { entry: name, folder }: FoundRun,
  { file, entries }: GateFile,
  { options, budgetsPath }: { options: readonly string[]; budgetsPath: string },
): Promise<void> {
  const { verifiedRun } = await import('./runs/verification.ts');
  context.stderr(`verify ${name}: ${folder}\n`);
  const { run } = await verifiedRun(folder);
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined) throw usageError(`${folder} is a run of ${name}, and ${file} has no such entry.`);
  if (run.kind !== 'experiment') throw usageError(`${folder} is no run of an experiment.`);
  const { experiment, variant } = await planEntry(entry, planOptionsFrom(options), budgetsPath);
  const asked = { variant: String(variant), ...fieldsOf(experiment) };
  const made = { variant: String(run.variant), ...fieldsOf(run.experiment) };
  const differing = differences(asked, made).map(
    ({ name: path, a, b }) => `${path} is ${b ?? 'absent'}, not ${a ?? 'absent'}`,
  );
  if (differing.length === 0) return;
  throw usageError(`${folder} is not the run that ${name} of ${file} asks for: ${differing.slice(0, 5).join(', ')}.`);
}
