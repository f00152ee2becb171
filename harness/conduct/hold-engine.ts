/** A measurement has the engine to itself: two at once would count each other's disturbance as the server's. */
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { HarnessError } from '../base/errors.ts';
import { guardWith } from '../base/guard.ts';
import { connectEngine, type EngineFacts } from '../lab/engine/engine.ts';
import { labImageTag, requireImage } from '../lab/image.ts';
import { lockMeasuring, type Holder, type MeasuringLock } from '../lab/measuring-lock.ts';
import { ownerInWords } from '../lab/owner.ts';
import { removeStaleLabs } from '../lab/remove.ts';
import type { Audience } from './audience.ts';

/** Takes the lab down when this process is killed. */
const afterKill = fileURLToPath(new URL('../lab/after-kill.ts', import.meta.url));

/** An engine on which nobody else measures. */
export interface HeldEngine {
  readonly docker: Docker;
  readonly facts: EngineFacts;
  readonly image: string;
  readonly lock: MeasuringLock;
}

/**
 * Runs `work` while no other harness measures on this engine; a series of runs takes the engine once, so that another's
 * do not come between. Labs that earlier runs left behind are taken down first: they would take part in the measurement.
 * @param options `command`: what others are told that is measured. `wait`: wait for another's measurement to end
 * @throws {HarnessError} (exit code 4) when another measures and it is not to be waited for
 */
export async function holdEngine<T>(
  audience: Audience,
  { command, wait }: { readonly command: string; readonly wait: boolean },
  work: (engine: HeldEngine) => Promise<T>,
): Promise<T> {
  const { docker, facts } = await connectEngine();
  const image = labImageTag(facts.architecture);
  await requireImage(docker, image);
  const progress = audience.follow();
  let lock: MeasuringLock;
  try {
    lock = await lockMeasuring(docker, {
      image,
      command,
      signal: audience.signal,
      onHeld: (holder) => {
        const words = holderInWords(holder);
        if (!wait) throw new HarnessError('lab-busy', `Another run measures on this engine: ${words}.`);
        progress.phase(`waiting for ${words}`);
      },
    });
  } finally {
    progress.end();
  }
  const guard = guardWith('exec "$@"', process.execPath, ...process.execArgv, afterKill);
  try {
    // Nobody else measures now: what stands and is not meant to was left.
    await removeStaleLabs(docker, (line) => audience.say(`${line}\n`));
    return await work({ docker, facts, image, lock });
  } finally {
    await lock.release();
    guard.dismiss();
  }
}

function holderInWords({ owner, command, runId, since }: Holder): string {
  const run = runId === null ? '' : `${runId}, `;
  return `${run}${ownerInWords(owner)}, measuring since ${since.slice(0, 19).replace('T', ' ')} UTC (${command})`;
}
