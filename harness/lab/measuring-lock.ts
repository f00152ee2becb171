/**
 * One measuring run per engine. The lock is a container of a fixed name: the engine takes a name once, so of two that
 * start at the same moment one wins. It lives in the engine because those who share one may sit at different machines.
 *
 * In it a shell reads lines that its owner sends over the attached stream. When the owner ends, however it ends, the
 * stream closes, the shell ends and the container removes itself. When the connection is lost without a word (a machine
 * without power, an engine that restarts its containers' keeper) no line comes, and the shell ends after
 * {@link leaseSeconds}. No clock is read but the engine's, and only to wait.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { lockHostConfig } from './container-options.ts';
import { unlessRefused } from './engine/engine-errors.ts';
import { ownerLabel, runLabel } from './engine/engine.ts';
import { thisOwner } from './owner.ts';

/** The lock's name in the engine. */
export const measuringName = 'restart-proof-measuring';
/** What the owner measures: the command that it was called with. */
const measuresLabel = 'restart-proof.measures';

/** An owner that is silent for this long has lost the lock: it is gone, or stands still. */
const leaseSeconds = 60;
const beatMs = 10_000;
const lookMs = 1_000;
/** A lock that does not run for this long was left by an owner that ended while making it. */
const halfMadeMs = 5_000;
const removalMs = 3_000;

/** Who measures. */
export interface Holder {
  /** As {@link ownerLabel} has it. */
  readonly owner: string;
  readonly command: string;
  /** The run that is in the lab now; null between two runs. */
  readonly runId: string | null;
  /** ISO 8601, by the engine's clock. */
  readonly since: string;
}

/** The right to measure on an engine. */
export type MeasuringLock = ReturnType<typeof hold>;

/**
 * Waits until no other run measures on this engine, and takes its place.
 * @param image what the lock's container is made from: any image with bash
 * @param onHeld is told who measures, when that changes; what it throws ends the waiting
 * @throws {unknown} the reason of `signal`; what the engine answers
 */
export async function lockMeasuring(
  docker: Docker,
  options: { image: string; command: string; signal: AbortSignal; onHeld: (holder: Holder) => void },
): Promise<MeasuringLock> {
  const { signal, onHeld } = options;
  let told: Holder | undefined;
  for (;;) {
    signal.throwIfAborted();
    const taken = await tryLock(docker, options);
    if (taken !== null) return taken;
    const holder = await heldBy(docker, signal);
    if (holder === null) continue;
    // Between two runs of a series there is no other news.
    if (holder.owner !== told?.owner || (holder.runId !== null && holder.runId !== told.runId)) {
      onHeld(holder);
      told = holder;
    }
    await sleep(lookMs, undefined, { signal });
  }
}

/**
 * Who has the lock. One that stands there without running (its owner ended while it made it; the engine was started
 * again) is removed: by its id, and only after it was seen so for a while by this process's own watch, since another may
 * have just begun to make it.
 * @returns null when nobody has it, or not any more
 */
export async function heldBy(docker: Docker, signal?: AbortSignal): Promise<Holder | null> {
  const startedMs = performance.now();
  let first: string | undefined;
  for (;;) {
    const found = await look(docker);
    if (found === null) return null;
    if (found.holder !== null) return found.holder;
    first ??= found.id;
    if (first !== found.id) return null;
    if (performance.now() - startedMs > halfMadeMs) {
      await remove(docker, found.id);
      return null;
    }
    await sleep(lookMs / 4, undefined, { signal });
  }
}

/** Who measures on this engine now; null when nobody does. */
export async function measuringHolder(docker: Docker): Promise<Holder | null> {
  return (await look(docker))?.holder ?? null;
}

async function tryLock(
  docker: Docker,
  { image, command }: { image: string; command: string },
): Promise<MeasuringLock | null> {
  const making = docker.createContainer({
    name: measuringName,
    Image: image,
    Cmd: ['bash', '-c', `while read -r -t ${leaseSeconds}; do :; done`],
    Labels: { [ownerLabel]: thisOwner, [measuresLabel]: command },
    OpenStdin: true,
    // Its input ends with the stream of the one that attached first.
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: lockHostConfig,
  });
  const container = await unlessRefused(making, 409);
  if (container === null) return null;
  const starting = async (): Promise<Attached> => {
    const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
    await container.start();
    return stream as Attached;
  };
  try {
    // Taken away while it was made, by one that saw it standing still: try again.
    const stream = await unlessRefused(starting(), 404);
    if (stream !== null) return hold(docker, container.id, stream);
  } catch (error) {
    await remove(docker, container.id);
    throw error;
  }
  await remove(docker, container.id);
  return null;
}

/** What dockerode gives; its types leave out that it can be destroyed. */
type Attached = NodeJS.ReadWriteStream & { destroy(): void };

function hold(docker: Docker, id: string, stream: Attached) {
  let state: 'held' | 'lost' | 'released' = 'held';
  const beat = setInterval(() => void stream.write('\n'), beatMs);
  // An owner that has nothing else to do is to end.
  beat.unref();
  const over = (): void => {
    clearInterval(beat);
    if (state === 'held') state = 'lost';
  };
  for (const event of ['end', 'close', 'error'] as const) stream.on(event, over);
  // Nothing comes, but an end is only told to who reads.
  stream.resume();
  return {
    /** Why a measurement under it cannot be trusted: the lock was lost. Empty when it was held all the time. */
    troubles: (): string[] =>
      state === 'lost'
        ? [
            'The right to measure alone on this engine was lost during the run (its container ' +
              `${measuringName} ended): another run may have measured beside it. See that the engine stays up and ` +
              'that this process is not stopped, and run again.',
          ]
        : [],
    /** Gives the right back; never throws, since an engine that is lost holds no lock. */
    release: async (): Promise<void> => {
      if (state === 'released') return;
      state = 'released';
      clearInterval(beat);
      stream.end();
      stream.destroy();
      await remove(docker, id).catch(() => undefined);
    },
  };
}

/** The lock as it stands; its holder is null while it does not run. */
async function look(docker: Docker): Promise<{ id: string; holder: Holder | null } | null> {
  const found = await unlessRefused(docker.getContainer(measuringName).inspect(), 404);
  if (found === null) return null;
  const { Id: id, State, Config } = found;
  if (!State.Running) return { id, holder: null };
  const owner = Config.Labels[ownerLabel] ?? '';
  const command = Config.Labels[measuresLabel] ?? '';
  const labs = await docker.listContainers({ filters: { label: [`${ownerLabel}=${owner}`, runLabel] } });
  return { id, holder: { owner, command, runId: labs[0]?.Labels[runLabel] ?? null, since: State.StartedAt } };
}

/** Removes a lock and waits until it is gone; by its id, since the name may be another's by now. */
async function remove(docker: Docker, id: string): Promise<void> {
  const container = docker.getContainer(id);
  // Gone already, or going: it removes itself.
  await unlessRefused(container.remove({ force: true }), 404, 409);
  const startedMs = performance.now();
  while (performance.now() - startedMs < removalMs) {
    if ((await unlessRefused(container.inspect(), 404)) === null) return;
    await sleep(50);
  }
}
