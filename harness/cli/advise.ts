/** `advise`: measures the ways to restart a service of the user's own, and recommends one that lost nothing, or none. */
import { join, resolve } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { adviceJson, adviceText, type Advice } from '../advice/advice-text.ts';
import { filesReadme, recommendedFiles } from '../advice/recommended-files.ts';
import { ways, wayText } from '../advice/ways.ts';
import { quoted } from '../conduct/run-request.ts';
import type { Change } from '../experiment/fields.ts';
import { plainText } from '../run/plain-file.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Context } from './context.ts';
import { seedOf, wholeNumber } from './options/option-values.ts';
import { optionArguments } from './options/option-words.ts';
import { runOptions } from './options/run-options.ts';
import { ownAppOf } from './options/own-app.ts';
import { pathText } from './print/path.ts';
import { command, type Typed } from './command.ts';
import { jsonFile, requireWritable, writeSeriesFolder } from './runs/out-folder.ts';

const [defaultMinutes, defaultRestarts] = ['10', '20'];
const options = {
  '--app <file>': 'the service.yaml that describes it',
  '--minutes <n>': `what does not fit into this time is not tried (default: ${defaultMinutes})`,
  '--restarts <n>': `restarts of the run whose figures are recommended, if there is time for them (default: ${defaultRestarts})`,
  '--only <ids>': 'try these ways only, such as E1,E5',
  '--rate <n>': runOptions['--rate <n>'],
  '--seed <n>': runOptions['--seed <n>'],
  '--json': 'advice.json on stdout, and nothing else there',
  '--out <folder>': 'where runs and advice go (default: reports/)',
  '--no-wait': runOptions['--no-wait'],
  '--no-controls': runOptions['--no-controls'],
} as const;
type AdviseOptions = Typed<typeof options>;

/** Exits 0 with a recommendation, 1 when every way lost something, 3 when that is not known. */
export const advise = command({
  name: 'advise',
  about: 'measure the ways to restart a service of your own, and recommend one that loses nothing',
  options,
  notes: `Asks doctor what the service does wrong, then runs each way to restart that is possible with it, what tells most first:
${ways.map((way) => `  ${wayText(way)}; it needs ${way.needs}`).join('\n')}

Of those that dropped nothing and lost no write, it takes the one with the shortest longest wait, and runs it once more with
--restarts. Only what it measured is recommended. What is not possible is named, with what the service lacks for it. The advice,
and the units and proxy file to copy, are in reports/advise/latest/.
Exits 0 with a recommendation, 1 when every way lost something, 3 when that could not be told.`,
  examples: [
    'npm run advise -- --app service.yaml',
    'npm run advise -- --app service.yaml --minutes 5 --only E1,E5',
    'npm run advise -- --app service.yaml --json > advice.json',
  ],
  run: async (context, options) => {
    const asked = askedOf(options);
    const own = await ownAppOf(options.app);
    if (own === null) throw new HarnessError('command-line', "Required option '--app <file>' not specified.");
    const reportsFolder = options.out === undefined ? context.reportsFolder : resolve(options.out);
    await requireWritable(reportsFolder);
    const { AdviseRuns, planWays } = await import('./runs/advise-runs.ts');
    const { withConductor } = await import('./runs/conductor.ts');
    const wanted = { ...asked, own, reportsFolder, withControls: options.controls !== false };
    const plan = await planWays(wanted);
    const command = commandOf(context, options, asked.seed);
    const advised = await withConductor(context, { command, wait: options.wait !== false }, (conductor) =>
      new AdviseRuns(conductor, wanted).make(plan),
    );
    const { decision } = advised;
    const lab = decision.kind === 'recommended' ? await labFiles(decision.bearing.folder) : new Map<string, string>();
    const files = recommendedFiles([...lab.keys()]);
    const advice: Advice = {
      ...advised,
      service: own.shown.name,
      command,
      files,
      pathOf: (folder) => pathText(folder),
    };
    const text = context.worded(adviceText(advice));
    const json = context.worded(jsonFile(adviceJson(advice)));
    const folder = await writeSeriesFolder(join(reportsFolder, 'advise'), {
      'advice.md': text,
      'advice.json': json,
      ...(decision.kind === 'recommended' && {
        ...Object.fromEntries(files.map(({ path }) => [`recommended${path}`, lab.get(path) ?? ''])),
        'recommended/README.md': filesReadme(own.shown.name, decision.bearing.way, files),
      }),
    });
    context.stdout(options.json === true ? json : `${text}advice: ${pathText(join(folder, 'advice.md'))}\n`);
    return exitCodeOf[decision.kind];
  },
});

const exitCodeOf = {
  recommended: exitCodes.pass,
  'all-lossy': exitCodes.expectationMissed,
  unknown: exitCodes.inconclusive,
} as const;

/** What the options say, checked. */
function askedOf({ minutes = defaultMinutes, restarts = defaultRestarts, only, rate, seed }: AdviseOptions) {
  const ids = only?.split(',').map((id) => id.trim().toUpperCase()) ?? null;
  const known = ways.map(({ id }) => id);
  const wrong = ids?.find((id) => !known.includes(id));
  if (wrong !== undefined) {
    throw new HarnessError('option-value', `--only takes some of ${known.join(',')}, not ${JSON.stringify(wrong)}.`);
  }
  const changes: Change[] = rate === undefined ? [] : [['load.ratePerSecond', wholeNumber('--rate', rate, 1, 5_000)]];
  return {
    minutes: wholeNumber('--minutes', minutes, 1, 600),
    restarts: wholeNumber('--restarts', restarts, 1, 4_000),
    only: ids,
    // The second run has the next one.
    seed: seedOf(seed, 1),
    changes,
  };
}

/** The command that asks the same again. */
function commandOf({ callOf }: Context, options: AdviseOptions, seed: number): string {
  const { app, minutes, restarts, only, rate, controls } = options;
  const words = optionArguments({
    ...{ app, seed },
    minutes: minutes === defaultMinutes ? undefined : minutes,
    restarts: restarts === defaultRestarts ? undefined : restarts,
    ...{ only, rate, controls: controls === false ? false : undefined },
  });
  return [callOf('advise'), ...words.map(quoted)].join(' ');
}

/** The files that the run put into its lab, by where they were there. */
async function labFiles(folder: string): Promise<Map<string, string>> {
  const run = await openRun(folder);
  const files = new Map<string, string>();
  for (const name of run.names().filter((one) => one.startsWith(`${runFiles.lab}/`))) {
    files.set(name.slice(runFiles.lab.length), await plainText(join(run.path, name)));
  }
  return files;
}
