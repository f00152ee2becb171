/** `merge`: decides over what the shards of a gate left, wherever they ran. */
import { join, resolve } from 'node:path';
import { readBaselines } from '../gate/baseline-files.ts';
import { decide } from '../gate/decide.ts';
import { gateFoldersIn, readGates, type FoundRun } from '../gate/gate-folder.ts';
import type { GateFile } from '../gate/read-budgets.ts';
import { usageError } from '../gate/refusals.ts';
import { differences, flatFields } from '../experiment/differences.ts';
import type { Context } from './context.ts';
import { checkDelivery, deliver, type DeliveryOptions } from './gate/deliver.ts';
import { planEntry, planOptionsFrom, readGateBudgets } from './gate/plan.ts';
import { baselinesFolder } from './gate.ts';
import { verifiedRun } from './runs/verified-run.ts';

/** Options as they are typed. */
export interface MergeOptions extends DeliveryOptions {
  readonly budgets?: string;
  readonly out?: string;
}

/** Decides over the folders; the exit code is that of the gate. */
export async function mergeCommand(
  context: Context,
  folders: readonly string[],
  options: MergeOptions,
): Promise<number> {
  await checkDelivery(options);
  const { budgets, budgetsPath } = await readGateBudgets(context.projectFolder, options.budgets);
  const found = await gateFoldersIn(folders.map((folder) => resolve(folder)));
  const { asked, options: planned, attempts, runs } = await readGates(found);
  for (const run of runs) await refuseUnplanned(context, run, budgets, planned);
  const result = decide({
    file: budgets.file,
    alpha: budgets.alpha,
    entries: budgets.entries,
    asked,
    options: planned,
    attempts,
    baselines: await readBaselines(baselinesFolder(context)),
  });
  const out = options.out === undefined ? join(context.projectFolder, 'reports', 'merged') : resolve(options.out);
  return await deliver(context, result, { folder: join(out, 'gate'), budgetsPath, options, environment: process.env });
}

/**
 * Refuses a run that does not hold, or is not the one that the entry asks for.
 * @throws {HarnessError} naming the folder and what differs
 */
async function refuseUnplanned(
  context: Context,
  { entry: name, folder }: FoundRun,
  { file, entries }: GateFile,
  options: readonly string[],
): Promise<void> {
  context.stderr(`verify ${name}: ${folder}\n`);
  const { run } = await verifiedRun(folder);
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined) throw usageError(`${folder} is a run of ${name}, and ${file} has no such entry.`);
  if (run.kind !== 'experiment') throw usageError(`${folder} is no run of an experiment.`);
  const { experiment, variant } = await planEntry(entry, planOptionsFrom(options));
  const [asked, made] = [
    { variant: String(variant), ...flatFields(experiment) },
    { variant: String(run.variant), ...flatFields(run.experiment) },
  ];
  const differing = differences(asked, made).map(
    ({ name: path, a, b }) => `${path} is ${b ?? 'absent'}, not ${a ?? 'absent'}`,
  );
  if (differing.length === 0) return;
  throw usageError(`${folder} is not the run that ${name} of ${file} asks for: ${differing.slice(0, 5).join(', ')}.`);
}
