/** A measurement has the engine to itself: two at once would count each other's disturbance as the server's. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { HarnessError } from '../base/errors.ts';
import { connectEngine } from '../lab/engine.ts';
import { labImageTag, requireImage } from '../lab/image.ts';
import { lockMeasuring, type Holder, type MeasuringLock } from '../lab/measuring-lock.ts';
import { ownerInWords } from '../lab/owner.ts';
import { removeLab, standingLabs } from '../lab/remove.ts';
import { removedLine } from './clean.ts';
import type { Context } from './context.ts';
import { startProgress } from './progress.ts';

const held = new AsyncLocalStorage<MeasuringLock>();

/** How a command asks for the engine. */
export interface AloneOptions {
  /** What others are told that is measured. */
  readonly command: string;
  /** Wait for another's measurement to end; else it is an error. */
  readonly wait: boolean;
}

/**
 * Runs `work` while no other harness measures on this engine; a series of runs takes the engine once, so that another's
 * do not come between. Within `work`, asking again costs nothing. What earlier runs left without being asked to is
 * taken down first: it would take part in the measurement.
 * @throws {HarnessError} (exit code 4) when another measures and it is not to be waited for
 */
export async function measureAlone<T>(
  context: Context,
  { command, wait }: AloneOptions,
  work: (lock: MeasuringLock) => Promise<T>,
): Promise<T> {
  const own = held.getStore();
  if (own !== undefined) return await work(own);
  const { docker, facts } = await connectEngine();
  const image = labImageTag(facts.architecture);
  await requireImage(docker, image);
  const progress = startProgress(context);
  let lock: MeasuringLock;
  try {
    lock = await lockMeasuring(docker, {
      image,
      command,
      signal: context.signal,
      onHeld: (holder) => {
        if (!wait) throw busy(holder);
        progress.phase(`waiting for ${holderInWords(holder)}`);
      },
    });
  } finally {
    progress.end();
  }
  try {
    // Nobody else measures now: what stands and is not meant to was left.
    for (const lab of await standingLabs(docker)) {
      if (lab.state !== 'stale') continue;
      await removeLab(docker, lab);
      context.stderr(`${removedLine(lab)}\n`);
    }
    return await held.run(lock, work, lock);
  } finally {
    await lock.release();
  }
}

/** Who measures, since when, and what. */
function holderInWords({ owner, command, runId, since }: Holder): string {
  const run = runId === null ? '' : `${runId}, `;
  return `${run}${ownerInWords(owner)}, measuring since ${since.slice(0, 19).replace('T', ' ')} UTC (${command})`;
}

function busy(holder: Holder): HarnessError {
  return new HarnessError('lab-busy', `Another run measures on this engine: ${holderInWords(holder)}.`);
}
