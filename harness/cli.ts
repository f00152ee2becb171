/**
 * The command line of a checkout. Each command's own code is loaded when it is called: all of it together takes longer to
 * load than most commands take, and Docker's client and the charts are the most of it.
 */
import type { BenchOptions } from './cli/bench.ts';
import type { CalibrateOptions } from './cli/calibrate.ts';
import type { ExperimentOptions } from './cli/experiment.ts';
import type { IndexOptions } from './cli/index.ts';
import { addGate } from './cli/gate-options.ts';
import { addMeasure } from './cli/measure-options.ts';
import { addRunOptions, collect } from './cli/options/run-options.ts';
import { makeProgram, runProgram } from './cli/program.ts';

const { program, context } = makeProgram(
  `
Exit codes:
  0    the experiment's expectations were met
  1    an expectation was missed
  2    wrong usage
  3    inconclusive, or cut short: no claim can be made
  4    this machine cannot run it (engine, image, rights)
  130  interrupted by Ctrl-C (143 by SIGTERM)`,
  (command) => `npm run ${command} --`,
);

addRunOptions(
  program
    .command('experiment')
    .description('run one experiment, or all, or list them')
    .argument('<id>', 'an experiment such as E5, all, or list')
    .option('--variant <name>', 'a named variant of it (`list` has their names)')
    .option('--variants', 'with `all`: every variant too (half an hour)')
    .option('--sweep <path=a,b,c>', 'run it at each value of a field, or of two: one table, one chart', collect)
    .option('--trials <n>', 'repeat the whole run on fresh labs, and add up')
    .option('--claim <percent>', 'so many of all restarts are clean: inconclusive where they are too few to say so')
    .option('--dry-run', 'print units, proxy file and schedule; start nothing')
    .option('--keep', 'leave the lab standing, to look inside; with --trials the last one')
    .option('--baseline', 'before and after the load, 3 s of autocannon: what the site can do'),
)
  .addHelpText(
    'after',
    `
Examples (options come after --, or npm takes them for its own):
  npm run experiment list
  npm run experiment E5
  npm run experiment all
  npm run experiment E5 -- --rate 1000 --restarts 20
  npm run experiment E5 -- --claim 99 --restarts 299
  npm run experiment E5 -- --variant as-seeded
  npm run experiment E1 -- --set app.warmupMs=1000 --dry-run
  npm run experiment E3 -- --sweep proxy.retry.initialIntervalMs=0,100,250,500
  npm run experiment E1 -- --seed 7 --json > verdict.json`,
  )
  .action(async (id: string, options: ExperimentOptions) => {
    if (id === 'list') {
      const { listExperiments } = await import('./cli/print/experiment-list.ts');
      process.exitCode = await listExperiments(context, options);
      return;
    }
    const { experimentCommand } = await import('./cli/experiment.ts');
    process.exitCode = await experimentCommand(context, id, options);
  });

addMeasure(program, context);
addGate(program, context);

program
  .command('calibrate')
  .description('check the instrument against servers that fail in known ways')
  .option('--short', 'fewer cases and requests: half a minute instead of two and a half')
  .option('--peers', 'show beside it what autocannon, vegeta, oha and wrk say (five minutes more)')
  .option('--json', 'results on stdout, and nothing else there')
  .option('--out <folder>', 'where the table goes (default: reports/)')
  .addHelpText('after', examples('npm run calibrate -- --short', 'npm run calibrate -- --peers --out /tmp/calibration'))
  .action(async (options: CalibrateOptions) => {
    const { calibrateCommand } = await import('./cli/calibrate.ts');
    process.exitCode = await calibrateCommand(context, options);
  });

program
  .command('bench')
  .description('speed, punctuality, CPU and memory of the instrument, beside its peers; takes a quarter of an hour')
  .option('--rounds <n>', 'how often everything is repeated (default: 3)')
  .option('--out <folder>', 'where the table goes (default: reports/)')
  .addHelpText('after', examples('npm run bench', 'npm run bench -- --rounds 1'))
  .action(async (options: BenchOptions) => {
    const { benchCommand } = await import('./cli/bench.ts');
    process.exitCode = await benchCommand(context, options);
  });

program
  .command('verdict')
  .description("make a run's verdict again from its files")
  .argument('<run>', "the run's folder, such as reports/E5/latest")
  .option('--json', 'verdict.json on stdout, and nothing else there')
  .addHelpText(
    'after',
    `
The folder is written to only where the verdict is another than the one in it. A packed run (reports/reference) and a
folder that cannot be written stay as they are.
${examples('npm run verdict -- reports/E5/latest', 'npm run verdict -- reports/E5/latest --json')}`,
  )
  .action(async (run: string, options: { json?: true }) => {
    const { verdictCommand } = await import('./cli/runs/verification.ts');
    process.exitCode = await verdictCommand(context, run, options);
  });

program
  .command('report')
  .description("make a run's report and charts again from its verdict and files")
  .argument('<run>', "the run's folder, such as reports/E5/latest")
  .option('--out <folder>', 'write report.md, report.html and charts/ there, and leave the run as it is')
  .addHelpText(
    'after',
    `
Files that come out the same are not written again. A packed run (reports/reference) and a folder that cannot be written
stay as they are: name another folder with --out.
${examples('npm run report -- reports/E5/latest', 'npm run report -- reports/reference/E5 --out /tmp/E5')}`,
  )
  .action(async (run: string, options: { out?: string }) => {
    const { reportCommand } = await import('./cli/runs/verification.ts');
    process.exitCode = await reportCommand(context, run, options);
  });

program
  .command('verify')
  .description('say whether the line of a run holds: its files are unchanged, and give the same verdict again')
  .argument('<run>', "the run's folder, such as reports/E5/latest")
  .addHelpText('after', examples('npm run verify -- reports/E5/latest'))
  .action(async (run: string) => {
    const { verifyCommand } = await import('./cli/runs/verification.ts');
    process.exitCode = await verifyCommand(context, run);
  });

program
  .command('compare')
  .description('show two runs side by side, and warn of what makes them unlike')
  .argument('<A>', "a run's folder, such as reports/E5/latest")
  .argument('<B>', 'the other one')
  .option('--json', 'the comparison on stdout as JSON')
  .addHelpText(
    'after',
    examples(
      'npm run compare -- reports/E5/latest reports/E1/latest',
      'npm run compare -- reports/E5/latest reports/reference/E5 --json',
    ),
  )
  .action(async (a: string, b: string, options: { json?: true }) => {
    const { compareCommand } = await import('./cli/compare.ts');
    process.exitCode = await compareCommand(context, [a, b], options);
  });

program
  .command('index')
  .description('write the experiments side by side, from one run of each')
  .option('--series <folder>', 'where the runs lie (default: reports/)')
  .option('--out <folder>', 'where the index goes (default: reports/index/, which git ignores)')
  .addHelpText(
    'after',
    examples(
      'npm run index',
      'npm run index -- --series reports/reference --out reports    # the one that is committed',
    ),
  )
  .action(async (options: IndexOptions) => {
    const { indexCommand } = await import('./cli/index.ts');
    process.exitCode = await indexCommand(context, options);
  });

program
  .command('pack-series')
  .description('copy one run of each experiment without what can be made again, to be committed')
  .argument('<from>', 'the folder of the runs, such as reports')
  .argument('<to>', 'the folder of the copies, such as reports/reference')
  .addHelpText('after', examples('npm run pack-series -- reports reports/reference'))
  .action(async (from: string, to: string) => {
    const { packSeriesCommand } = await import('./cli/pack-series.ts');
    process.exitCode = await packSeriesCommand(context, from, to);
  });

program
  .command('schema', { hidden: true })
  .description('write docs/verdict.schema.json, the JSON Schema of verdict.json')
  .action(async () => {
    const { schemaCommand } = await import('./cli/schema.ts');
    process.exitCode = await schemaCommand(context);
  });

program
  .command('clean')
  .description('take down what a crash or --keep left in the engine')
  .addHelpText('after', examples('npm run clean', 'DOCKER_CONTEXT=build npm run clean    # on another engine'))
  .action(async () => {
    const { cleanCommand } = await import('./cli/clean.ts');
    process.exitCode = await cleanCommand(context);
  });

program
  .command('doctor')
  .description('check everything that a run needs of this machine and of the engine, and say how to put it right')
  .option('--json', 'findings on stdout as JSON, and nothing else there')
  .addHelpText(
    'after',
    `
Boots a lab's server for some seconds, and takes it away again. Exits 0 when a lab can run here, else 4.

Examples:
  npm run doctor
  npm run doctor -- --json > doctor.json     # to go with a question
  DOCKER_HOST=ssh://me@server npm run doctor # whether that engine will do`,
  )
  .action(async (options: { json?: true }) => {
    const { doctorCommand } = await import('./cli/doctor.ts');
    process.exitCode = await doctorCommand(context, options);
  });

program
  .command('errors')
  .description('what the code of an error means, and what to do')
  .argument('[code]', 'the word in brackets, such as engine-absent; without one, all')
  .option('--write', 'make docs/errors.md of them')
  .addHelpText('after', examples('npm run errors', 'npm run errors -- engine-absent'))
  .action(async (code: string | undefined, options: { write?: true }) => {
    const { errorsCommand } = await import('./cli/errors.ts');
    process.exitCode = await errorsCommand(context, code, options);
  });

program
  .command('setup', { hidden: true })
  .description("build the lab's image (the second half of `npm run setup`)")
  .action(async () => {
    const { setupCommand } = await import('./cli/setup.ts');
    process.exitCode = await setupCommand(context);
  });

/** Lines of examples, below a command's options. */
function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

await runProgram(program, context);
