/** `measure --compare`: two deploys, measured in turn, so that what the machine does meets both alike. */
import { join, resolve } from 'node:path';
import { exitCodes } from '../../base/errors.ts';
import { jsonText } from '../../base/foreign-text.ts';
import { compareDeploys, leastTold, type Deploy } from '../../gate/compare-deploys.ts';
import { readServiceFile } from '../../gate/files/read-budgets.ts';
import { usageError } from '../../gate/refusals.ts';
import type { Service } from '../../experiment/service.ts';
import type { ReadRun } from '../../verdict/record/read-run.ts';
import type { Context } from '../context.ts';
import type { MeasureOptions } from '../options/measure-options.ts';
import { givenOption } from '../options/option-words.ts';
import { seedOf, wholeNumber } from '../options/option-values.ts';
import { deployComparisonText } from '../print/deploy-comparison.ts';
import { pathText } from '../print/path.ts';
import { writeSeriesFolder } from '../runs/out-folder.ts';
import { checked, measureInTurn, optionsOf } from './measured.ts';
import { budgetsName } from './plan.ts';

const mostRounds = 100;

/** A deploy that is to be measured. */
interface Planned {
  readonly name: string;
  readonly options: MeasureOptions;
  readonly service: Service;
}

/**
 * Measures the deploys of two files in turn, and says which drops less.
 * @returns 0 where that could be asked, whatever the answer is; 3 where a measurement cannot be trusted
 */
export async function measureCompared(
  context: Context,
  options: MeasureOptions & { readonly compare: readonly string[] },
): Promise<number> {
  const rounds = wholeNumber('--rounds', options.rounds ?? '2', 1, mostRounds);
  const [a, b] = await planBoth(options);
  const runs = new Map<Planned, ReadRun[]>([
    [a, []],
    [b, []],
  ]);
  const turns = turnsOf(a, b, rounds);
  const seed = seedOf(options.seed, turns.length);
  context.stderr(planText(a, b, turns));
  for (const [index, planned] of turns.entries()) {
    if (context.signal.aborted) break;
    const place = `${index + 1} of ${turns.length}: ${planned === a ? 'A' : 'B'}, ${planned.name}`;
    const asked = { ...planned.options, seed: String(seed + index) };
    runs.get(planned)?.push(await measureInTurn(context, place, asked));
  }
  const deployOf = (planned: Planned): Deploy => ({ name: planned.name, runs: runs.get(planned) ?? [] });
  const comparison = compareDeploys(deployOf(a), deployOf(b));
  const text = deployComparisonText(comparison);
  const folder = await writeSeriesFolder(
    join(resolve(options.out ?? 'reports'), 'measure', 'compared'),
    { 'comparison.json': jsonText(comparison), 'comparison.md': text },
    comparison.a.runIds[0],
  );
  context.stdout(options.json === true ? jsonText(comparison) : text);
  context.stderr(`comparison: ${pathText(join(folder, 'comparison.md'))}\n`);
  const isTrusted = comparison.less !== 'none' && comparison.a.leftOut + comparison.b.leftOut === 0;
  return isTrusted && !context.signal.aborted ? exitCodes.pass : exitCodes.inconclusive;
}

/** A B, then B A: whatever drifts meets both alike. */
function turnsOf(a: Planned, b: Planned, rounds: number): Planned[] {
  return Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? [a, b] : [b, a])).flat();
}

/** What is to come, and what it can tell. */
function planText(a: Planned, b: Planned, turns: readonly Planned[]): string {
  const restarts = ({ service }: Planned): number => service.restarts ?? 1;
  const each = (planned: Planned): number => restarts(planned) * (turns.length / 2);
  const order = turns.map((planned) => (planned === a ? 'A' : 'B')).join(' ');
  const fewer = Math.min(each(a), each(b));
  const told = leastTold(fewer);
  return (
    `A is ${a.name}, B is ${b.name}: ${order}, with ${restarts(a)} and ${restarts(b)} restarts a measurement.\n` +
    (told === null
      ? `With ${fewer} restarts each, no difference in bad restarts can be told: more of them with --restarts or --rounds.\n`
      : `With ${fewer} restarts each, ${told} bad ones against none can be told from chance; fewer cannot.\n`)
  );
}

async function planBoth(
  options: MeasureOptions & { readonly compare: readonly string[] },
): Promise<[Planned, Planned]> {
  const notHere = ['budgets', 'while', 'maxDropped', 'maxGap', 'maxWait', 'junit', 'summary', 'annotations'] as const;
  const stray = givenOption(options, notHere);
  if (stray !== undefined) throw usageError(`--compare goes without ${stray}.`, bothFiles);
  const [first, second, ...more] = options.compare;
  if (first === undefined || second === undefined || more.length > 0) {
    throw usageError(`--compare takes two files, and has ${options.compare.length}.`, bothFiles);
  }
  const [a, b] = [await plan(first, options), await plan(second, options)];
  // A sentence that says which is better must not call both by one name; the two files may be one, too.
  const named = (planned: Planned, path: string): Planned => ({ ...planned, name: `${planned.name} (${path})` });
  if (a.name !== b.name) return [a, b];
  return first === second ? [named(a, `A, ${first}`), named(b, `B, ${second}`)] : [named(a, first), named(b, second)];
}

const bothFiles = 'measure --compare a.yaml b.yaml: each file names one service, with its deploy as `while`.';

async function plan(path: string, typed: MeasureOptions): Promise<Planned> {
  const { file, entries } = await readServiceFile(path, budgetsName(path));
  const [entry, ...more] = entries;
  if (entry === undefined || more.length > 0) {
    throw usageError(`${file} has ${entries.length} services, and --compare takes files of one.`, bothFiles);
  }
  const options = optionsOf(entry, typed, path);
  if (options.while === undefined) throw usageError(`${entry.where()}: ${entry.name} has no deploy.`, bothFiles);
  const service = await checked(entry, typed, options);
  return { name: entry.name, options, service };
}
