/** The options of every command that runs experiments, and what they change about one. */
import { HarnessError } from '../../base/errors.ts';
import type { ExperimentFile } from '../../experiment/experiment.ts';
import { parseChange, type Change } from '../../experiment/fields.ts';
import type { Typed } from '../command.ts';
import { percentage, wholeNumber } from './option-values.ts';

/** The options. */
export const runOptions = {
  '--app <file>': 'a service of your own in place of the demo site, as this service.yaml describes it',
  '--set <path=value>': ['give a field another value; may be repeated', 'again'],
  '--rate <n>': 'requests a second',
  '--restarts <n>': 'how many restarts under one load; of several sites, how many deploys of all of them',
  '--seed <n>': 'makes the schedule of requests and restarts the same again',
  '--json': 'verdict.json on stdout, and nothing else there',
  '--out <folder>': 'where the run goes (default: reports/)',
  '--no-wait': 'exit 4 when another run measures on this engine, instead of waiting for its end',
  '--no-controls': 'leave out C0 (no restart) and C+ (mechanism off): quicker, and not for citing',
} as const;

/** Options as they are typed. */
export type RunningOptions = Typed<typeof runOptions>;

type Changing = Pick<RunningOptions, 'set' | 'rate' | 'restarts'> & { readonly claim?: string | undefined };

/**
 * What the options set, in the experiment's own words.
 * @throws {HarnessError} when one has no meaning there
 */
export function changesOf(file: ExperimentFile, options: Changing): Change[] {
  if (options.restarts === undefined || restartsSomething(file, options)) return changes(options);
  throw new HarnessError('option-conflict', `${file.id} restarts nothing: --restarts has no meaning there.`);
}

/** The same for one of several experiments: what has no meaning in it is left out there. */
export function changesOfOneOfMany(file: ExperimentFile, options: Changing): Change[] {
  const { restarts, ...others } = options;
  return restarts === undefined || !restartsSomething(file, options) ? changes(others) : changes(options);
}

function restartsSomething({ deploy }: ExperimentFile, { set }: Changing): boolean {
  return deploy.action !== 'none' || (set ?? []).some((text) => text.startsWith('deploy.action='));
}

function changes({ set, rate, restarts, claim }: Changing): Change[] {
  const list = (set ?? []).map((text) => parseChange('--set', text));
  if (rate !== undefined) list.push(['load.ratePerSecond', wholeNumber('--rate', rate, 1, 5_000)]);
  if (restarts !== undefined) list.push(['deploy.restarts', wholeNumber('--restarts', restarts, 1, 4_000)]);
  if (claim !== undefined) list.push(['expect.claim.cleanPercent', claimOf(claim)]);
  return list;
}

/** The share of clean restarts that is claimed, in percent. */
export function claimOf(text: string): number {
  return percentage('--claim', text, 50, 99.9);
}
