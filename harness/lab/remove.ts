/** Finds what runs left in the engine by its labels, and takes it down; leaves alone what belongs to a run that goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { ownerLabel, runLabel } from './engine/engine.ts';
import { measuringHolder } from './measuring-lock.ts';
import { isAliveWithoutLock, ownerInWords } from './owner.ts';

/** On what is to stand after its run: `--keep`. */
export const keptLabel = 'restart-proof.kept';

/** Longest wait for containers that are on their way out to leave their network. */
const endpointsMs = 10_000;

/** A run's lab, or what there is of it. */
export interface StandingLab {
  readonly runId: string;
  /** The process that made it. */
  readonly owner: string;
  /**
   * live: its owner holds the measuring lock, which ends with the owner. kept: its owner is gone, and was to leave it.
   * stale: its owner is gone, or stood still for so long that it lost the lock.
   */
  readonly state: 'live' | 'kept' | 'stale';
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** Lists the labs that stand in the engine, oldest run first. */
export async function standingLabs(docker: Docker): Promise<StandingLab[]> {
  const parts = await labelled(docker, runLabel);
  // In this order: who made a lab that is listed had the lock before, and is its holder still if it goes on.
  const holder = await measuringHolder(docker);
  const runs = new Map<string, Part[]>();
  for (const part of parts) {
    const runId = part.labels[runLabel] ?? '';
    runs.set(runId, [...(runs.get(runId) ?? []), part]);
  }
  return [...runs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([runId, of]) => {
      const owner = of[0]?.labels[ownerLabel] ?? '';
      const kept = of.some(({ labels }) => labels[keptLabel] !== undefined);
      const idsOf = (kind: Part['kind']): string[] => of.filter((part) => part.kind === kind).map(({ id }) => id);
      return {
        runId,
        owner,
        state: holder?.owner === owner || isAliveWithoutLock(owner) ? 'live' : kept ? 'kept' : 'stale',
        containers: idsOf('container'),
        networks: idsOf('network'),
        volumes: idsOf('volume'),
      };
    });
}

/** Takes down the labs that were left, and tells what it took down; those that go on or are kept stay. */
export async function removeStaleLabs(docker: Docker, say: (line: string) => void): Promise<void> {
  for (const lab of await standingLabs(docker)) {
    if (lab.state !== 'stale') continue;
    await removeLab(docker, lab);
    say(removedLine(lab));
  }
}

/** Takes down what was listed of a lab, and nothing that came after. */
export async function removeLab(
  docker: Docker,
  { containers, networks, volumes }: Pick<StandingLab, 'containers' | 'networks' | 'volumes'>,
): Promise<void> {
  await Promise.all(containers.map(async (id) => ignoreGone(docker.getContainer(id).remove({ force: true, v: true }))));
  await Promise.all([
    ...networks.map(async (id) => ignoreGone(removeNetwork(docker, id))),
    ...volumes.map(async (name) => ignoreGone(docker.getVolume(name).remove({ force: true }))),
  ]);
}

/** What was taken down, and why it stood there. */
export function removedLine({ runId, owner, state, containers, networks, volumes }: StandingLab): string {
  const parts = [counted(containers, 'container'), counted(networks, 'network'), counted(volumes, 'volume')];
  const why = state === 'kept' ? 'left standing by --keep' : `its owner, ${ownerInWords(owner)}, is gone`;
  return `Removed ${parts.filter((part) => part !== '').join(', ')} of ${runId}: ${why}.`;
}

function counted(of: readonly string[], word: string): string {
  return of.length === 0 ? '' : `${of.length} ${word}${of.length === 1 ? '' : 's'}`;
}

/** While another clean-up is taking a container down, its network still has endpoints (403). */
async function removeNetwork(docker: Docker, id: string): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    try {
      await docker.getNetwork(id).remove();
      return;
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode !== 403 || performance.now() - startedMs > endpointsMs) throw error;
      await sleep(100);
    }
  }
}

/** Removes containers, networks and volumes of one run. */
export async function removeRun(docker: Docker, runId: string): Promise<void> {
  const parts = await labelled(docker, `${runLabel}=${runId}`);
  const idsOf = (kind: Part['kind']): string[] => parts.filter((part) => part.kind === kind).map(({ id }) => id);
  await removeLab(docker, { containers: idsOf('container'), networks: idsOf('network'), volumes: idsOf('volume') });
}

interface Part {
  readonly kind: 'container' | 'network' | 'volume';
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

async function labelled(docker: Docker, label: string): Promise<Part[]> {
  const filters = { label: [label] };
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  return [
    ...containers.map(({ Id, Labels }): Part => ({ kind: 'container', id: Id, labels: Labels })),
    ...networks.map(({ Id, Labels }): Part => ({ kind: 'network', id: Id, labels: Labels ?? {} })),
    // Engines before 23 say null for none, which the types do not know.
    ...((volumes.Volumes as typeof volumes.Volumes | null) ?? []).map(({ Name, Labels }): Part => ({
      kind: 'volume',
      id: Name,
      labels: Labels,
    })),
  ];
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
