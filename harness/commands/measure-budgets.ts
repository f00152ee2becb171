import { readRun } from '../verdict/read-run.ts';
/** `measure --budgets`: the services of a budgets file, one after another, and what is allowed of each. */
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { decide, type Attempt } from '../gate/decide.ts';
import { readServiceFile, type ServiceFile } from '../gate/read-budgets.ts';
import { usageError } from '../gate/refusals.ts';
import { closingLines } from './closing.ts';
import { interruptedCode, type Context } from './context.ts';
import { checkDelivery, deliver, type DeliveryOptions } from './deliver.ts';
import { measureOnce, timesOf } from './measure.ts';
import { serviceOf, type MeasureOptions } from './service-options.ts';

/** Options as they are typed. */
export interface BudgetedOptions extends DeliveryOptions {
  readonly budgets?: string;
}

/** What a file cannot say: it is about the call, or follows from the budgets. */
const notInFile = new Set(['budgets', 'json', 'out', 'junit', 'summary', 'annotations', 'max-dropped']);
/** No comparison is made: there is no baseline of a user's service. */
const alpha = 0.01;

/**
 * Measures the services that were named (none: all of the file), in the file's order. None is measured again, whatever
 * comes of it: its command may be a deploy.
 * @param known the options of `measure`, by their names without dashes before them
 */
export async function measureBudgets(
  context: Context,
  names: readonly string[],
  options: MeasureOptions & BudgetedOptions & { readonly budgets: string },
  known: readonly string[],
): Promise<number> {
  await checkDelivery(options);
  if (options.maxDropped !== undefined) {
    throw usageError('--max-dropped and --budgets say two things: write `dropped: { max: … }` into the file.');
  }
  const file = await readServiceFile(options.budgets, nameOf(options.budgets));
  const chosen = chosenServices(file, names);
  const planned = chosen.map((entry) => ({ entry, asked: optionsOf(file.file, entry, options, known) }));
  // A mistake in the last service is said before the first deploy has begun.
  for (const { entry, asked } of planned) await checked(file.file, entry, asked);
  const attempts = new Map<string, Attempt[]>();
  for (const [index, { entry, asked }] of planned.entries()) {
    if (context.signal.aborted) break;
    context.stderr(`${index + 1} of ${planned.length}: ${entry.name}\n`);
    const { folder, verdict } = await measureOnce(context, asked);
    context.stderr(closingLines(verdict, relative(process.cwd(), folder), context.colours.stderr));
    attempts.set(entry.name, [{ kind: 'run', ...(await readRun(folder)) }]);
  }
  const result = decide({
    file: file.file,
    alpha,
    entries: file.entries,
    asked: new Set(chosen.map(({ name }) => name)),
    attempts,
    baselines: new Map(),
  });
  const code = await deliver(context, result, {
    folder: join(resolve(options.out ?? 'reports'), 'measure', 'gate'),
    budgetsPath: options.budgets,
    options,
    environment: process.env,
  });
  return context.signal.aborted ? interruptedCode(context.signal) : code;
}

type ServiceEntry = ServiceFile['entries'][number];

function chosenServices({ file, entries }: ServiceFile, names: readonly string[]): ServiceEntry[] {
  const unknown = names.find((name) => !entries.some((entry) => entry.name === name));
  if (unknown !== undefined) {
    throw usageError(
      `${file} has no service ${JSON.stringify(unknown)}.`,
      `It has ${entries.map(({ name }) => name).join(', ')}.`,
    );
  }
  return entries.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** The options of the file, and over them those of the command line. */
function optionsOf(
  file: string,
  { name, line, data, budgets }: ServiceEntry,
  typed: MeasureOptions & BudgetedOptions,
  known: readonly string[],
): MeasureOptions {
  const fromFile: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(data.measure)) {
    if (!known.includes(option) || notInFile.has(option)) {
      const usable = known.filter((each) => each !== '' && !notInFile.has(each));
      throw usageError(`${file}:${line}: ${name} has no option ${option}.`, `There are ${usable.join(', ')}.`);
    }
    if (value === false) continue;
    const key = option.replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());
    fromFile[key] = typeof value === 'object' || value === true ? value : String(value);
    // The only option that may be given again.
    if (option === 'header' && typeof value === 'string') fromFile[key] = [value];
  }
  const dropped = budgets.find(({ figure }) => figure === 'dropped');
  // The run's own verdict allows what the file does; a budget that only informs must not fail it.
  const maxDropped = dropped === undefined ? 0 : dropped.blocking ? (dropped.max ?? unlimited) : unlimited;
  return { ...fromFile, ...typed, maxDropped: String(maxDropped) };
}

const unlimited = Number.MAX_SAFE_INTEGER;

async function checked(file: string, { name, line }: ServiceEntry, options: MeasureOptions): Promise<void> {
  try {
    await serviceOf(options);
    timesOf(options);
  } catch (error) {
    throw usageError(`${file}:${line}: ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function nameOf(path: string): string {
  return (isAbsolute(path) ? relative(process.cwd(), path) : path).split(sep).join('/');
}
