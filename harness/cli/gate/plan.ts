/** What a gate is to run: the entries of the budgets file that were asked for, and the share of this machine. */
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { HarnessError } from '../../base/errors.ts';
import { readGateFile, type GateFile } from '../../gate/files/read-budgets.ts';
import { usageError } from '../../gate/refusals.ts';
import { dealOut, expectedMs, parseShard } from '../../gate/shard.ts';
import { loadExperiment } from '../../experiment/catalog.ts';
import { resolveExperiment, type Change } from '../../experiment/fields.ts';
import { isCheckout } from '../../project.mjs';
import { ownAppOf } from '../options/own-app.ts';
import { changesOfOneOfMany, type RunningOptions } from '../options/run-options.ts';

type GateEntry = GateFile['entries'][number];
/** An entry, ready to run, and the shard that it falls to, from 1 on. */
export type PlannedEntry = Awaited<ReturnType<typeof planEntry>> & { readonly shard: number };
/** A gate, planned: all entries that were asked for, in the file's order, and those of this machine. */
export type GatePlan = Awaited<ReturnType<typeof planGate>>;

/** Options of the plan, as they are typed. */
export type PlanOptions = Pick<RunningOptions, 'app' | 'set' | 'rate' | 'restarts'> & {
  readonly budgets?: string;
  readonly shard?: string;
  readonly variant?: string;
};

/** The options that change what an entry runs, as one would type them; a merge reads them again. */
export function planOptionTexts({ app, set, rate, restarts, variant }: PlanOptions): string[] {
  return Object.entries({ app, set, rate, restarts, variant }).flatMap(([name, value = []]) =>
    [value].flat().map((text) => `--${name} ${text}`),
  );
}

/**
 * The reverse of {@link planOptionTexts}.
 * @throws {HarnessError} when one is no such option
 */
export function planOptionsFrom(texts: readonly string[]): PlanOptions {
  const set: string[] = [];
  const single: Record<string, string> = {};
  for (const text of texts) {
    const [, name = '', value = ''] = /^--(app|set|rate|restarts|variant) (.+)$/u.exec(text) ?? [];
    if (name === '') throw usageError(`A gate has no option ${JSON.stringify(text)}.`);
    if (name === 'set') set.push(value);
    else single[name] = value;
  }
  return { set, ...single };
}

/** Where the accepted baselines lie. */
export function baselinesFolder({ reportsFolder }: { readonly reportsFolder: string }): string {
  return join(reportsFolder, 'baselines');
}

/** Reads the budgets file: experiments/gate.yaml, or the one that was named. */
export async function readGateBudgets(projectFolder: string, named: string | undefined) {
  const path = named ?? join(projectFolder, 'experiments', 'gate.yaml');
  // Results are the same wherever the checkout lies.
  const name = named === undefined && isCheckout ? 'experiments/gate.yaml' : budgetsName(path);
  return { budgets: await readGateFile(path, name), budgetsPath: path };
}

/** A budgets file as results name it: from where the user is. */
export function budgetsName(path: string): string {
  return (isAbsolute(path) ? relative(process.cwd(), path) : path).split(sep).join('/');
}

/**
 * Plans a gate.
 * @param ids experiments (all of their entries) or entries by name; none stands for all
 * @throws {HarnessError} when something does not exist or cannot be run so; said before anything runs
 */
export async function planGate(projectFolder: string, ids: readonly string[], options: PlanOptions) {
  const { budgets, budgetsPath } = await readGateBudgets(projectFolder, options.budgets);
  const isOf = (id: string, { name, data }: GateEntry): boolean => [name, data.experiment].includes(exact(id));
  const chosen = budgets.entries.filter((entry) => ids.length === 0 || ids.some((id) => isOf(id, entry)));
  const unknown = ids.find((id) => !budgets.entries.some((entry) => isOf(id, entry)));
  if (unknown !== undefined) {
    const names = budgets.entries.map(({ name }) => name).join(', ');
    throw usageError(`${budgets.file} has no entry ${JSON.stringify(unknown)}.`, `It has ${names}.`);
  }
  if (options.variant !== undefined && chosen.length !== 1) {
    throw usageError('--variant goes with one entry, such as `npm run gate -- E5 --variant check-readyz`.');
  }
  const shard = options.shard === undefined ? null : parseShard(options.shard);
  const entries = await Promise.all(chosen.map((entry) => planEntry(entry, options, budgetsPath)));
  const parts = dealOut(
    entries.map(({ name, expectedMs: ms }) => ({ name, ms })),
    shard?.of ?? 1,
  );
  const asked = entries.map((entry) => ({ ...entry, shard: parts.findIndex((part) => part.includes(entry.name)) + 1 }));
  const own = asked.filter((entry) => shard === null || entry.shard === shard.index);
  return { budgets, budgetsPath, asked, own, shard };
}

/** An experiment's number is the same in lower case; an entry's name is as it is written. */
function exact(id: string): string {
  return id.replace(/^e(?=\d)/u, 'E');
}

/**
 * An entry as the file has it, and as the options change it.
 * @param budgetsPath from which the entry's own service is looked for
 */
export async function planEntry(entry: GateEntry, options: PlanOptions, budgetsPath: string) {
  const { name, where, budgets, data } = entry;
  const ofEntry = data.app === undefined ? undefined : join(dirname(budgetsPath), data.app);
  try {
    const own = await ownAppOf(options.app ?? ofEntry);
    const file = await loadExperiment(data.experiment);
    const variant = options.variant ?? data.variant ?? null;
    const changes: Change[] = [
      ...Object.entries(data.set),
      ...(data.restarts === undefined ? [] : [['deploy.restarts', data.restarts] as const]),
      ...changesOfOneOfMany(file, options),
    ];
    const experiment = resolveExperiment(file, { variant: variant ?? undefined, changes, service: own?.shown });
    const planned = { name, file, own, experiment, variant, changes };
    return { ...planned, expectedMs: expectedMs(experiment), budgets: budgets.length };
  } catch (error) {
    // A service.yaml has places of its own.
    if (!(error instanceof HarnessError) || error.code === 'service-invalid') throw error;
    throw usageError(`${where()}: ${error.message}`, error.hint, error);
  }
}
