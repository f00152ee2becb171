/** The command lines of the gate: `gate`, `merge`, `baseline`. */
import type { Command } from 'commander';
import { usageError } from '../gate/refusals.ts';
import type { AcceptOptions } from './baseline.ts';
import type { Context } from './context.ts';
import { addDeliveryOptions } from './options/delivery-options.ts';
import type { GateOptions } from './gate.ts';
import type { MergeOptions } from './merge.ts';
import { refuseArguments } from './options/refusals.ts';
import { addRunOptions } from './options/run-options.ts';

/** Adds the three commands to the program. */
export function addGate(program: Command, context: Context): void {
  addDeliveryOptions(
    addRunOptions(
      program
        .command('gate')
        .description('run the experiments of experiments/gate.yaml, and fail on a budget or a regression')
        .argument('[entries...]', 'entries or experiments to run, such as E5 or E1@crash (default: all)')
        .option('--shard <i/n>', 'this machine’s share of the work; `merge` puts the shares together')
        .option('--variant <name>', 'with one entry: hold this variant of it against the entry’s budgets')
        .option('--budgets <file>', 'another budgets file')
        .option('--dry-run', 'print what would run, on which shard, and how long; start nothing'),
      'gate.json',
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  npm run gate
  npm run gate -- E5 E1
  npm run gate -- --shard 1/4 --out gate-1
  npm run gate -- E5 --set unit.socketTie=part-of      # a regression, to see that it is caught`,
    )
    .action(async (entries: string[], options: GateOptions) => {
      const { gateCommand } = await import('./gate.ts');
      process.exitCode = await gateCommand(context, entries, options);
    });

  addDeliveryOptions(
    program
      .command('merge')
      .description('decide over the folders that the shards of a gate wrote')
      .argument('<folders...>', 'each as a shard’s --out, or a folder that holds several')
      .option('--budgets <file>', 'another budgets file')
      .option('--json', 'gate.json on stdout, and nothing else there')
      .option('--out <folder>', 'where the result goes (default: reports/merged/)'),
  ).action(async (folders: string[], options: MergeOptions) => {
    const { mergeCommand } = await import('./merge.ts');
    process.exitCode = await mergeCommand(context, folders, options);
  });

  program
    .command('baseline')
    .description('accept a run as what the gate compares with, or list or show those that were')
    .argument('<action>', 'accept, list or show')
    .argument('[names...]', 'accept: folders of runs; show: a name')
    .option('--append', 'add the runs to the baseline that is there')
    .option('--name <name>', 'the entry of the gate that it is for (default: E5, or E5@variant)')
    .addHelpText(
      'after',
      `
Examples:
  npm run baseline -- accept reports/E5/latest
  npm run baseline -- accept reports/E5/20261124T* --append
  npm run baseline -- show E5`,
    )
    .action(async (action: string, names: string[], options: AcceptOptions) => {
      process.exitCode = await baselineCommand(context, action, names, options);
    });
}

async function baselineCommand(
  context: Context,
  action: string,
  names: readonly string[],
  options: AcceptOptions,
): Promise<number> {
  const { acceptBaseline, listBaselines, showBaseline } = await import('./baseline.ts');
  switch (action) {
    case 'accept':
      return await acceptBaseline(context, names, options);
    case 'list':
      refuseArguments(names, 0, '`baseline list` takes no name');
      return await listBaselines(context);
    case 'show': {
      refuseArguments(names, 1, 'One baseline at a time');
      const [name] = names;
      if (name === undefined) throw usageError('`baseline show` takes a name.', '`npm run baseline -- list` has them.');
      return await showBaseline(context, name);
    }
    default:
      throw usageError(`baseline takes accept, list or show, not ${JSON.stringify(action)}.`);
  }
}
