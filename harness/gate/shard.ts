/** Deals the entries of a gate out to several machines, so that each takes about as long: the same every time. */
import { deploySchedule } from '../experiment/deploy-schedule.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { usageError } from './refusals.ts';

/** Part of a gate: `1/4`. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where schedulers say which of several like jobs this is: GitLab from 1, a Kubernetes Indexed Job from 0. */
function scheduled({ CI_NODE_INDEX, CI_NODE_TOTAL, JOB_COMPLETION_INDEX, JOB_COMPLETIONS }: Environment): string {
  if (CI_NODE_INDEX !== undefined) return `${CI_NODE_INDEX}/${CI_NODE_TOTAL}`;
  if (JOB_COMPLETION_INDEX !== undefined) return `${Number(JOB_COMPLETION_INDEX) + 1}/${JOB_COMPLETIONS}`;
  throw usageError(
    '--shard auto finds no scheduler here: neither CI_NODE_INDEX and CI_NODE_TOTAL nor JOB_COMPLETION_INDEX and JOB_COMPLETIONS are set.',
    'Name the part, such as --shard 1/4.',
  );
}

/**
 * Of `1/4`, or of `auto` as the scheduler's variables have it.
 * @throws {HarnessError} when it is none
 */
export function parseShard(asked: string, environment: Environment = process.env): Shard {
  const text = asked === 'auto' ? scheduled(environment) : asked;
  const [, index = 0, of = 0] = (/^([1-9]\d{0,2})\/([1-9]\d{0,2})$/u.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= of) return { index, of };
  throw usageError(`--shard takes a part such as 1/4, or auto, not ${JSON.stringify(text)}.`);
}

/** Booting the lab, reading its records and judging them, beside the load. */
const besideLoadMs = 11_000;

/** About how long a run of the experiment takes, in milliseconds. */
export function expectedMs(experiment: Experiment): number {
  const { deploy, load } = experiment;
  // The seed moves it by a second or two: any will do.
  const schedule = deploySchedule(deploy, 1, load.ratePerSecond);
  return Math.round(schedule.durationMs(schedule.wanted)) + besideLoadMs;
}

/**
 * The names that fall to each part, in the order given: the longest first, each to whoever has least so far (Graham's
 * rule, at most a third above the best there is).
 */
export function dealOut(entries: readonly { name: string; ms: number }[], parts: number): string[][] {
  const load = Array.from({ length: parts }, () => ({ ms: 0, names: new Set<string>() }));
  for (const { name, ms } of entries.toSorted((a, b) => b.ms - a.ms)) {
    const least = load.reduce((lightest, part) => (part.ms < lightest.ms ? part : lightest));
    least.ms += ms;
    least.names.add(name);
  }
  return load.map(({ names }) => entries.map(({ name }) => name).filter((name) => names.has(name)));
}
