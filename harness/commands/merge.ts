/** `merge`: decides over what the shards of a gate left, wherever they ran. */
import { join, resolve } from 'node:path';
import { readBaselines } from '../gate/baseline-files.ts';
import { decide } from '../gate/decide.ts';
import { gateFoldersIn, readGates } from '../gate/gate-folder.ts';
import type { Context } from './context.ts';
import { checkDelivery, deliver, type DeliveryOptions } from './deliver.ts';
import { readGateBudgets } from './gate-plan.ts';
import { baselinesFolder } from './gate.ts';

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
  checkDelivery(options);
  const { budgets, budgetsPath } = await readGateBudgets(context.projectFolder, options.budgets);
  const found = await gateFoldersIn(folders.map((folder) => resolve(folder)));
  const { asked, attempts } = await readGates(found);
  const result = decide({
    file: budgets.file,
    alpha: budgets.alpha,
    entries: budgets.entries,
    asked,
    attempts,
    baselines: await readBaselines(baselinesFolder(context)),
  });
  const out = options.out === undefined ? join(context.projectFolder, 'reports', 'merged') : resolve(options.out);
  return await deliver(context, result, { folder: join(out, 'gate'), budgetsPath, options, environment: process.env });
}
