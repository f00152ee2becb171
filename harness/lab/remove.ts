/** Finds what runs left in the engine by its labels, and takes it down; leaves alone what belongs to a run that goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { counted } from '../base/counted.ts';
import { unlessRefused } from './engine/engine-errors.ts';
import { ownerLabel, runLabel } from './engine/engine.ts';
import { measuringHolder } from './measuring-lock.ts';
import { isAliveWithoutLock, ownerInWords } from './owner.ts';

/** On what is to stand after its run: `--keep`. */
export const keptLabel = 'restart-proof.kept';

/** Longest wait for containers that are on their way out to leave their network. */
const endpointsMs = 10_000;

/** What there is of a lab in the engine: ids, and names of volumes. */
interface LabObjects {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** A run's lab, or what there is of it. */
export interface StandingLab extends LabObjects {
  readonly runId: string;
  /** The process that made it. */
  readonly owner: string;
  /**
   * live: its owner holds the measuring lock, which ends with the owner. kept: its owner is gone, and was to leave it.
   * stale: its owner is gone, or stood still for so long that it lost the lock.
   */
  readonly state: 'live' | 'kept' | 'stale';
}

/** Lists the labs that stand in the engine, oldest run first. */
export async function standingLabs(docker: Docker): Promise<StandingLab[]> {
  const parts = await labelled(docker, runLabel);
  // In this order: who made a lab that is listed had the lock before, and is its holder still if it goes on.
  const holder = await measuringHolder(docker);
  const runs = Map.groupBy(parts, ({ labels }) => labels[runLabel] ?? '');
  return [...runs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([runId, of]) => {
      const owner = of[0]?.labels[ownerLabel] ?? '';
      const kept = of.some(({ labels }) => labels[keptLabel] !== undefined);
      const state = holder?.owner === owner || isAliveWithoutLock(owner) ? 'live' : kept ? 'kept' : 'stale';
      return { runId, owner, state, ...idsOf(of) };
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
export async function removeLab(docker: Docker, { containers, networks, volumes }: LabObjects): Promise<void> {
  // Two clean-ups may meet (404), and the engine may already be at it (409).
  const gone = (removal: Promise<unknown>): Promise<unknown> => unlessRefused(removal, 404, 409);
  await Promise.all(containers.map((id) => gone(docker.getContainer(id).remove({ force: true, v: true }))));
  await Promise.all([
    ...networks.map((id) => gone(removeNetwork(docker, id))),
    ...volumes.map((name) => gone(docker.getVolume(name).remove({ force: true }))),
  ]);
}

/** What was taken down, and why it stood there. */
export function removedLine({ runId, owner, state, containers, networks, volumes }: StandingLab): string {
  const parts = Object.entries({ container: containers, network: networks, volume: volumes })
    .filter(([, ids]) => ids.length > 0)
    .map(([word, ids]) => counted(ids.length, word));
  const why = state === 'kept' ? 'left standing by --keep' : `its owner, ${ownerInWords(owner)}, is gone`;
  return `Removed ${parts.join(', ')} of ${runId}: ${why}.`;
}

/** While another clean-up is taking a container down, its network still has endpoints (403). */
async function removeNetwork(docker: Docker, id: string): Promise<void> {
  const network = docker.getNetwork(id);
  const startedMs = performance.now();
  while (performance.now() - startedMs < endpointsMs) {
    if (
      await unlessRefused(
        network.remove().then(() => true),
        403,
      )
    )
      return;
    await sleep(100);
  }
  await network.remove();
}

/** Removes containers, networks and volumes of one run. */
export async function removeRun(docker: Docker, runId: string): Promise<void> {
  await removeLab(docker, idsOf(await labelled(docker, `${runLabel}=${runId}`)));
}

interface Part {
  readonly kind: 'containers' | 'networks' | 'volumes';
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

function idsOf(parts: readonly Part[]): LabObjects {
  const of = (kind: Part['kind']): string[] => parts.filter((part) => part.kind === kind).map(({ id }) => id);
  return { containers: of('containers'), networks: of('networks'), volumes: of('volumes') };
}

async function labelled(docker: Docker, label: string): Promise<Part[]> {
  const filters = { label: [label] };
  const [containers, networks, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  // Engines before 23 say null for no volume, which the types do not know.
  const volumes = (Volumes as typeof Volumes | null) ?? [];
  return [
    ...containers.map(({ Id, Labels }) => ({ kind: 'containers', id: Id, labels: Labels }) as const),
    ...networks.map(({ Id, Labels }) => ({ kind: 'networks', id: Id, labels: Labels ?? {} }) as const),
    ...volumes.map(({ Name, Labels }) => ({ kind: 'volumes', id: Name, labels: Labels }) as const),
  ];
}
