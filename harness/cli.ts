/** The command line: the only file that touches the process. */
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { benchCommand, type BenchOptions } from './commands/bench.ts';
import { calibrateCommand, type CalibrateOptions } from './commands/calibrate.ts';
import { cleanCommand } from './commands/clean.ts';
import type { Context } from './commands/context.ts';
import { experimentCommand, interruptedCode, listExperiments, type ExperimentOptions } from './commands/experiment.ts';
import { measureCommand } from './commands/measure.ts';
import type { MeasureOptions } from './commands/service-options.ts';
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
  .action(async (id: string, options: ExperimentOptions, command: Command) => {
    refuseOptionsThatNpmTook(command);
    refuseArguments(command.args, 1, 'One experiment at a time');
    process.exitCode = id === 'list' ? await listExperiments(context) : await experimentCommand(context, id, options);
  });

program
  .command('measure')
  .description('count every failed request of a service of your own, while a command of yours (a deploy) runs')
  .allowExcessArguments()
  .option('--url <url>', 'the service to ask, http:// only')
  .option('--rate <n>', 'requests a second (default: 100)')
  .option('--duration <time>', 'how long to ask (default: 30s); with --while at least so long')
  .option('--method <name>', 'GET, POST, PUT, PATCH or DELETE (default: GET)')
  .option('--body <text>', 'body of each request, or @file')
  .option('--header <line>', 'a header "Name: value"; may be given again', collect)
  .option('--connections <kind>', 'kept, new or mixed, half and half (default: mixed)')
  .option('--expect-status <n>', 'the status that is ok (default: any from 200 to 299)')
  .option('--timeout <time>', 'what a request has from its due time to its whole answer (default: 30s)')
  .option('--max-connections <n>', 'connections open at once (default: rate × timeout, at most 8192)')
  .option('--while <command>', 'run this under the load, and go on until the service is steady again')
  .option('--settle <time>', 'how long it must answer without a failure after the command (default: 3s)')
  .option('--settle-timeout <time>', 'the longest to wait for that (default: 60s)')
  .option('--max-dropped <n>', 'more dropped requests than this fail, exit 1 (default: 0)')
  .option('--seed <n>', 'makes the order of kept and new connections the same again')
  .option('--json', 'verdict.json on stdout, and nothing else there')
  .option('--out <folder>', 'where the run goes (default: reports/ where you are)')
  .option('--yes-i-own-this', 'allow more than 1000 requests a second to another machine')
  .addHelpText(
    'after',
    `
Each request carries an X-Request-Id of its own, is sent once, and is counted once. Load goes only to --url.

Examples:
  npm run measure -- --url http://127.0.0.1:8080/ --rate 100 --duration 30s
  npm run measure -- --url http://127.0.0.1:8080/ --while 'systemctl restart shop' --max-dropped 0
  npm run measure -- --url http://127.0.0.1:8080/orders --method POST --body @order.json \\
    --header 'Content-Type: application/json' --connections kept --while './deploy.sh'`,
  )
  .action(async (options: MeasureOptions, command: Command) => {
    refuseOptionsThatNpmTook(command);
    refuseArguments(command.args, 0, 'measure takes options only');
    process.exitCode = await measureCommand(context, options);
  });

program
  .command('calibrate')
  .description('check the instrument against servers that fail in known ways')
  .allowExcessArguments()
  .option('--short', 'fewer cases and requests: half a minute instead of two and a half')
  .option('--peers', 'show beside it what autocannon, vegeta, oha and wrk say (five minutes more)')
  .option('--json', 'results on stdout, and nothing else there')
  .option('--out <folder>', 'where the table goes (default: reports/)')
  .action(async (options: CalibrateOptions, command: Command) => {
    refuseOptionsThatNpmTook(command);
    refuseArguments(command.args, 0, 'calibrate takes options only');
    process.exitCode = await calibrateCommand(context, options);
  });

program
  .command('bench')
  .description('speed, punctuality, CPU and memory of the instrument, beside its peers; takes a quarter of an hour')
  .allowExcessArguments()
  .option('--rounds <n>', 'how often everything is repeated (default: 3)')
  .option('--out <folder>', 'where the table goes (default: reports/)')
  .action(async (options: BenchOptions, command: Command) => {
    refuseOptionsThatNpmTook(command);
    refuseArguments(command.args, 0, 'bench takes options only');
    process.exitCode = await benchCommand(context, options);
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
function refuseOptionsThatNpmTook(command: Command): void {
  for (const { long, attributeName } of command.options.map((option) => ({
    long: option.long ?? '',
    attributeName: option.attributeName(),
  }))) {
    const value = process.env[`npm_config_${long.slice(2).replaceAll('-', '_')}`];
    if (value === undefined || value === '' || command.getOptionValue(attributeName) !== undefined) continue;
    throw new HarnessError(`npm took ${long} for an option of its own.`, {
      exitCode: exitCodes.usage,
      hint: `Put two dashes before it: npm run ${[command.name(), ...command.args].join(' ')} -- ${long}${value === 'true' ? '' : ` ${value}`}`,
    });
  }
}

function refuseArguments(args: readonly string[], allowed: number, what: string): void {
  if (args.length <= allowed) return;
  throw new HarnessError(`${what}: ${args.slice(allowed).join(' ')} is too much.`, { exitCode: exitCodes.usage });
}

/** The values of an option that may be given more than once. */
function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
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
