/** Labs that stand in the engine. */
import type Docker from 'dockerode';
import { standingLabs, type StandingLab } from '../lab/remove.ts';
import { ok, warning, type Finding } from './finding.ts';

/** Runs that have something in the engine. */
export interface StandingRuns {
  /** They go on: their owner holds the engine. */
  readonly live: readonly string[];
  /** Left by a crash, or by --keep. */
  readonly left: readonly string[];
}

/** Lists them. */
export async function standingRuns(docker: Docker): Promise<StandingRuns> {
  const labs = await standingLabs(docker);
  const runs = (...states: StandingLab['state'][]): string[] =>
    labs.filter(({ state }) => states.includes(state)).map(({ runId }) => runId);
  return { live: runs('live'), left: runs('stale', 'kept') };
}

/** What they mean for a run that is about to begin. */
export function judgeRuns({ live, left }: StandingRuns): Finding {
  const says = [
    ...(live.length === 0 ? [] : [`going on: ${live.join(', ')}`]),
    ...(left.length === 0 ? [] : [`left over: ${left.join(', ')}`]),
  ].join('; ');
  if (says === '') return ok('labs', 'no other lab stands in this engine');
  const fix =
    left.length === 0
      ? 'Wait until it has ended: two at once disturb each other.'
      : '`npm run clean` takes down what is left over.';
  return warning('labs', says, fix);
}
