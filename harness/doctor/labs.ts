/** Labs that stand in the engine. */
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { ownerLabel, runLabel } from '../lab/engine.ts';
import { ok, warning, type Finding } from './finding.ts';

/** Runs that have something in the engine. */
export interface StandingRuns {
  /** Their process lives, or is on another machine, of which nothing can be said. */
  readonly live: readonly string[];
  /** Left by a crash, or by --keep. */
  readonly left: readonly string[];
}

/** Lists them, by the label that everything of ours carries. */
export async function standingRuns(docker: Docker): Promise<StandingRuns> {
  const filters = { label: [runLabel] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  const owners = new Map<string, string>();
  for (const { Labels } of [...containers, ...networks])
    owners.set(Labels?.[runLabel] ?? '', Labels?.[ownerLabel] ?? '');
  const runs = [...owners].map(([run, owner]) => ({ run, isLive: mayLive(owner) }));
  return {
    live: runs.filter(({ isLive }) => isLive).map(({ run }) => run),
    left: runs.filter(({ isLive }) => !isLive).map(({ run }) => run),
  };
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

/** Does the process that made it run? Its label is `<host>/<pid>`, with more behind it or not. */
function mayLive(owner: string): boolean {
  const [host, pid] = owner.split('/');
  if (host === undefined || host === '') return false;
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
