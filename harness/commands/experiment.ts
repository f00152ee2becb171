/** `experiment`: list them, or run one. */
import { randomInt } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { z } from 'zod';
import { exitCodes, HarnessError } from '../errors.ts';
import { loadCatalog, loadExperiment } from '../scenario/catalog.ts';
import { experimentSchema, type Experiment } from '../scenario/experiment.ts';
import { closingLines, exitCodeOf } from './closing.ts';
import { interruptedCode, type Context } from './context.ts';
import { highestSeed, wholeNumber } from './option-values.ts';
import { runExperiment } from './run-experiment.ts';

/** Options as they are typed. */
export interface ExperimentOptions {
  readonly rate?: string;
  readonly restarts?: string;
  readonly seed?: string;
  readonly json?: true;
  readonly out?: string;
  readonly keep?: true;
  readonly baseline?: true;
}

/** Prints every experiment with its question. */
export async function listExperiments(context: Context): Promise<number> {
  const rows = (await loadCatalog()).map(({ id, title, question }) => [id, title, question]);
  context.stdout(`${markdownTable([['id', 'title', 'question'], ...rows])}\n`);
  return exitCodes.pass;
}

/** Runs one experiment; the exit code says what came of it. */
export async function experimentCommand(context: Context, id: string, options: ExperimentOptions): Promise<number> {
  const experiment = withOptions(await loadExperiment(id), options);
  const seed =
    options.seed === undefined ? randomInt(0, highestSeed) : wholeNumber('--seed', options.seed, 0, highestSeed);
  const { folder, verdict, kept } = await runExperiment(context, experiment, {
    seed,
    reportsFolder: options.out === undefined ? join(context.projectFolder, 'reports') : resolve(options.out),
    keep: options.keep === true,
    baseline: options.baseline === true,
    command: repeatCommand(experiment.id, options, seed),
  });
  if (options.json === true) context.stdout(`${JSON.stringify(verdict, null, 2)}\n`);
  else context.stdout(closingLines(verdict, relative(process.cwd(), folder)));
  for (const name of kept) context.stderr(`kept: docker exec -it ${name} bash\n`);
  if (kept.length > 0) context.stderr('`npm run clean` takes the lab down.\n');
  if (context.signal.aborted) return interruptedCode(context.signal);
  return exitCodeOf(verdict.verdict);
}

/** The experiment with the command line's options in place of its own. */
export function withOptions(experiment: Experiment, { rate, restarts }: ExperimentOptions): Experiment {
  const changed = {
    ...experiment,
    load: {
      ...experiment.load,
      ...(rate !== undefined && { ratePerSecond: wholeNumber('--rate', rate, 1, 5_000) }),
    },
    deploy: {
      ...experiment.deploy,
      ...(restarts !== undefined && { restarts: wholeNumber('--restarts', restarts, 1, 1_000) }),
    },
  };
  if (restarts !== undefined && experiment.deploy.action === 'none') {
    throw new HarnessError(`${experiment.id} restarts nothing: --restarts has no meaning there.`, {
      exitCode: exitCodes.usage,
    });
  }
  const checked = experimentSchema.safeParse(changed);
  if (checked.success) return checked.data;
  throw new HarnessError(z.prettifyError(checked.error), { exitCode: exitCodes.usage });
}

function repeatCommand(id: string, { rate, restarts }: ExperimentOptions, seed: number): string {
  const words = [`npm run experiment ${id} -- --seed ${seed}`];
  if (rate !== undefined) words.push(`--rate ${rate}`);
  if (restarts !== undefined) words.push(`--restarts ${restarts}`);
  return words.join(' ');
}
