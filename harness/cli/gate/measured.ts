/** Services that were measured against what is allowed: those of a budgets file, or a single one and its options. */
import { dirname, join, resolve } from 'node:path';
import { HarnessError } from '../../base/errors.ts';
import type { Budget, Entry } from '../../gate/files/budgets.ts';
import { decide, type Attempt } from '../../gate/decide.ts';
import { readServiceFile, type ServiceFile } from '../../gate/files/read-budgets.ts';
import type { Service } from '../../experiment/service.ts';
import { usageError } from '../../gate/refusals.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { readRun, type ReadRun } from '../../verdict/record/read-run.ts';
import type { Context } from '../context.ts';
import type { DeliveryOptions } from '../options/delivery-options.ts';
import { optionsOfFile } from '../options/file-options.ts';
import { fileOptions, type MeasureOptions } from '../options/measure-options.ts';
import { givenOption } from '../options/option-words.ts';
import { targetOf, timesOf } from '../options/service-options.ts';
import { summaryLines } from '../print/run-summary.ts';
import { measureOnce } from '../runs/measurement.ts';
import { deliver } from './deliver.ts';
import { budgetsName } from './plan.ts';

/** Options that a budget of the file says better. */
const budgetOptions = [
  ['maxDropped', 'dropped'],
  ['maxGap', 'gapMs'],
  ['maxWait', 'longestWaitMs'],
  ['maxCut', 'cut'],
] as const;

/**
 * Measures the services that were named (none: all of the file), in the file's order. None is measured again, whatever
 * comes of it: its command may be a deploy.
 */
export async function measureBudgets(
  context: Context,
  names: readonly string[],
  options: MeasureOptions & { readonly budgets: string },
): Promise<number> {
  for (const [key, figure] of budgetOptions) {
    const given = givenOption(options, [key]);
    if (given === undefined) continue;
    throw usageError(`${given} and --budgets say two things: write \`${figure}: { max: … }\` into the file.`);
  }
  const file = await readServiceFile(options.budgets, budgetsName(options.budgets));
  const chosen = chosenServices(file, names);
  const planned = chosen.map((entry) => ({ entry, asked: optionsOf(entry, options, options.budgets) }));
  // A mistake in the last service is said before the first deploy has begun.
  for (const { entry, asked } of planned) await checked(entry, options, asked);
  const attempts = new Map<string, Attempt[]>();
  for (const [index, { entry, asked }] of planned.entries()) {
    if (context.signal.aborted) break;
    const run = await measureInTurn(context, `${index + 1} of ${planned.length}: ${entry.name}`, asked);
    attempts.set(entry.name, [{ kind: 'run', ...run }]);
  }
  const result = decide({
    file: file.file,
    entries: file.entries,
    asked: new Set(chosen.map(({ name }) => name)),
    attempts,
  });
  const folder = join(resolve(options.out ?? 'reports'), 'measure', 'gate');
  return await deliver(context, result, { folder, budgetsPath: options.budgets, options });
}

/** Measures one of several, says on stderr which and how it went, and reads its folder. */
export async function measureInTurn(context: Context, place: string, options: MeasureOptions): Promise<ReadRun> {
  context.stderr(`${place}\n`);
  const { folder, verdict } = await measureOnce(context, options);
  context.stderr(summaryLines(verdict, folder, context, 'stderr'));
  return await readRun(folder);
}

type ServiceEntry = ServiceFile['entries'][number];

function chosenServices({ file, entries }: ServiceFile, names: readonly string[]): ServiceEntry[] {
  const unknown = names.find((name) => !entries.some((entry) => entry.name === name));
  if (unknown !== undefined) {
    const all = entries.map(({ name }) => name).join(', ');
    throw usageError(`${file} has no service ${JSON.stringify(unknown)}.`, `It has ${all}.`);
  }
  return entries.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** The options of the file, and over them those of the command line. @param path of the file */
export function optionsOf(entry: ServiceEntry, typed: MeasureOptions, path: string): MeasureOptions {
  const options = { ...optionsOfFile(entry, path), ...typed };
  return { ...options, ...limitsOf(entry.budgets, options.hold !== undefined) };
}

/** The budgets as options: the run's own verdict allows what the file does. */
function limitsOf(budgets: readonly Budget[], isHeld: boolean) {
  const has = (name: Budget['figure']): boolean => budgets.some(({ figure }) => figure === name);
  // A budget that only informs must not fail the run.
  const maxOf = (name: Budget['figure']): number =>
    budgets.find(({ figure, blocking }) => figure === name && blocking)?.max ?? unlimited;
  const timeOf = (name: Budget['figure']): string | null => {
    const max = Math.ceil(maxOf(name));
    return max > longestLimitMs ? null : `${max}ms`;
  };
  const [maxGap, maxWait, maxCut] = [timeOf('gapMs'), timeOf('longestWaitMs'), maxOf('cut')];
  return {
    // Where bad restarts are limited and drops are not, a bad restart that is allowed may drop any number.
    maxDropped: String(has('dropped') || has('badRestarts') ? Math.floor(maxOf('dropped')) : 0),
    ...(maxGap !== null && { maxGap }),
    ...(maxWait !== null && { maxWait }),
    ...(isHeld && maxCut < unlimited && { maxCut: String(Math.floor(maxCut)) }),
  };
}

const unlimited = Number.MAX_SAFE_INTEGER;
/** What --max-gap and --max-wait take at most: a longer limit limits nothing. */
const longestLimitMs = 3_600_000;

/**
 * What an entry asks to measure.
 * @throws {HarnessError} naming the place of the option that is wrong, where it stands in the file
 */
export async function checked(entry: ServiceEntry, typed: MeasureOptions, options: MeasureOptions): Promise<Service> {
  const { name, where, data } = entry;
  try {
    const { service } = await targetOf(options);
    timesOf(options, service.ratePerSecond);
    return service;
  } catch (error) {
    // One in a list of requests names its place itself.
    if (!(error instanceof HarnessError) || error.code === 'gate-unusable') throw error;
    // The sentence names the option as it is typed on a command line.
    const option = /--([a-z-]+)/u.exec(error.message)?.[1] ?? '';
    const key = fileOptions.find((known) => known.name === option)?.key ?? '';
    const isOfFile = Object.hasOwn(data.measure, option) && !Object.hasOwn(typed, key);
    const message = isOfFile ? error.message.replace(`--${option}`, option) : error.message;
    throw usageError(`${isOfFile ? where('measure', option) : where()}: ${name}: ${message}`, error.hint, error);
  }
}

/** Hands on what came of a single measurement, whose budgets are its options, where a CI system waits for it. */
export async function deliverMeasured(context: Context, folder: string, options: DeliveryOptions): Promise<void> {
  const isAwaited =
    options.junit !== undefined ||
    options.summary !== undefined ||
    options.annotations === 'github' ||
    process.env['GITHUB_ACTIONS'] === 'true';
  if (!isAwaited) return;
  const run = await readRun(folder);
  const entry: Entry = { name: 'measure', line: 0, blocking: true, because: '', budgets: budgetsOf(run.run) };
  const result = decide({
    file: null,
    entries: [entry],
    asked: new Set([entry.name]),
    attempts: new Map([[entry.name, [{ kind: 'run', ...run }]]]),
  });
  // The command has said what came of it.
  const { json, ...others } = options;
  const words = { ...context, stdout: json === true ? context.stderr : context.stdout };
  await deliver(words, result, { folder: join(dirname(folder), 'gate'), budgetsPath: null, options: others });
}

function budgetsOf(run: RunRecord): Budget[] {
  if (run.kind !== 'measure') return [];
  const { maxDropped, maxGapMs, maxWaitMs, hold } = run.service;
  const limits = [
    ['dropped', maxDropped, 'the limit that --max-dropped sets (0 unless said)'],
    ['gapMs', maxGapMs, 'the limit that --max-gap sets'],
    ['longestWaitMs', maxWaitMs, 'the limit that --max-wait sets'],
    ['cut', hold?.maxCut ?? null, 'the limit that --max-cut sets'],
  ] as const;
  return limits.flatMap(([figure, max, because]) =>
    max === null ? [] : [{ figure, line: 0, max, blocking: true, because }],
  );
}
