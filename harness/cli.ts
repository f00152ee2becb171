/** The command line: the only file that touches the process. */
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { cleanCommand } from './commands/clean.ts';
import type { Context } from './commands/context.ts';
import { experimentCommand, interruptedCode, listExperiments, type ExperimentOptions } from './commands/experiment.ts';
import { setupCommand } from './commands/setup.ts';
import { exitCodes, HarnessError, messageOf } from './errors.ts';

const interrupt = new AbortController();
let signals = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    signals++;
    // The second time the user does not want to wait; `npm run clean` removes what is left.
    if (signals > 1) process.exit(name === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted);
    process.stderr.write(
      `\n${name}: stopping, keeping what was recorded, taking the lab down (again to quit at once)\n`,
    );
    interrupt.abort(name);
  });
}

const context: Context = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
  signal: interrupt.signal,
  projectFolder: fileURLToPath(new URL('../', import.meta.url)),
};

const program = new Command('restart-proof')
  .description('Tells, with proof, which way of restarting a service loses requests and which does not.')
  .exitOverride()
  .addHelpText(
    'after',
    `
Exit codes:
  0    the experiment's expectations were met
  1    an expectation was missed
  2    wrong usage
  3    inconclusive, or cut short: no claim can be made
  4    this machine cannot run it (engine, image, rights)
  130  interrupted by Ctrl-C (143 by SIGTERM)`,
  );

program
  .command('experiment')
  .description('run one experiment, or `list` them')
  .argument('<id>', 'E0, E1, E5 …, or list')
  .allowExcessArguments()
  .option('--rate <n>', 'requests a second')
  .option('--restarts <n>', 'how many restarts under one load')
  .option('--seed <n>', 'makes the schedule of requests and restarts the same again')
  .option('--json', 'verdict.json on stdout, and nothing else there')
  .option('--out <folder>', 'where the run goes (default: reports/)')
  .option('--keep', 'leave the lab standing, to look inside')
  .addHelpText(
    'after',
    `
Examples (options come after --, or npm takes them for its own):
  npm run experiment list
  npm run experiment E5
  npm run experiment E5 -- --rate 1000 --restarts 20
  npm run experiment E1 -- --seed 7 --json > verdict.json`,
  )
  .action(async (id: string, options: ExperimentOptions, { args }: Command) => {
    refuseOptionsThatNpmTook();
    if (args.length > 1) {
      throw new HarnessError(`One experiment at a time: ${args.slice(1).join(' ')} is too much.`, {
        exitCode: exitCodes.usage,
      });
    }
    process.exitCode = id === 'list' ? await listExperiments(context) : await experimentCommand(context, id, options);
  });

program
  .command('clean')
  .description('take down what a crash or --keep left in the engine')
  .action(async () => {
    process.exitCode = await cleanCommand(context);
  });

program
  .command('setup', { hidden: true })
  .description("build the lab's image (the second half of `npm run setup`)")
  .action(async () => {
    process.exitCode = await setupCommand(context);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** `npm run experiment E5 --rate 9` gives the option to npm and not to us: a run without it would not be what was asked. */
function refuseOptionsThatNpmTook(): void {
  for (const name of ['rate', 'restarts', 'seed', 'json', 'out', 'keep']) {
    const value = process.env[`npm_config_${name}`];
    if (value === undefined || value === '' || process.argv.some((word) => word.startsWith(`--${name}`))) continue;
    throw new HarnessError(`npm took --${name} for an option of its own.`, {
      exitCode: exitCodes.usage,
      hint: `Put two dashes before it: npm run experiment E5 -- --${name}${value === 'true' ? '' : ` ${value}`}`,
    });
  }
}

/** Prints an error as a user should meet it; gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
  if (interrupt.signal.aborted) return interruptedCode(interrupt.signal);
  if (error instanceof HarnessError) {
    context.stderr(`error: ${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
    return error.exitCode;
  }
  context.stderr(`error: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`);
  return exitCodes.inconclusive;
}
