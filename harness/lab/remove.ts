/** Takes down what a run made in the engine, found by its label; never what belongs to someone else. */
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { ownerLabel, runLabel } from './engine.ts';

/** What a clean-up did. */
export interface Removed {
  readonly containers: number;
  readonly networks: number;
  /** Runs that were left alone because the process that owns them is alive. */
  readonly live: readonly string[];
}

/** Removes containers, networks and volumes of one run. */
export async function removeRun(docker: Docker, runId: string): Promise<Removed> {
  return remove(docker, `${runLabel}=${runId}`, () => true);
}

/** Removes what earlier runs left, except of those that are still going on. */
export async function removeLeftovers(docker: Docker): Promise<Removed> {
  return remove(docker, runLabel, (labels) => !isLive(labels[ownerLabel]));
}

async function remove(
  docker: Docker,
  label: string,
  mayGo: (labels: Record<string, string>) => boolean,
): Promise<Removed> {
  const filters = { label: [label] };
  const [containers, networks, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters: { label: [label] } }),
  ]);
  const goingContainers = containers.filter(({ Labels }) => mayGo(Labels));
  const goingNetworks = networks.filter(({ Labels }) => mayGo(Labels ?? {}));
  await Promise.all(
    goingContainers.map(async ({ Id }) => ignoreGone(docker.getContainer(Id).remove({ force: true, v: true }))),
  );
  await Promise.all(goingNetworks.map(async ({ Id }) => ignoreGone(docker.getNetwork(Id).remove())));
  await Promise.all(
    volumes
      .filter(({ Labels }) => mayGo(Labels))
      .map(async ({ Name }) => ignoreGone(docker.getVolume(Name).remove({ force: true }))),
  );
  const left = [...containers, ...networks].map(({ Labels }) => Labels).filter((labels) => !mayGo(labels ?? {}));
  return {
    containers: goingContainers.length,
    networks: goingNetworks.length,
    live: [...new Set(left.map((labels) => labels?.[runLabel] ?? ''))],
  };
}

/** Does the process that made it still run, on this machine? Of another machine's nothing can be said: it is left. */
function isLive(owner: string | undefined): boolean {
  const [host, pid] = (owner ?? '').split('/');
  if (host !== hostname()) return host !== '' && host !== undefined;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Two clean-ups may meet (404), and the engine may already be at it (409). */
async function ignoreGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}
