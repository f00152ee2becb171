/** A program: takes down what a killed process left in the engine. conduct/hold-engine.ts sees to it that it is started. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEngine } from './engine/engine.ts';
import { removeStaleLabs } from './remove.ts';

/** The lock of the process that was killed takes a moment to go; until then its lab counts as alive. */
const lookAgainMs = 1_000;
const looks = 5;

const { docker } = await connectEngine();
for (let look = 0; look < looks; look++) {
  await sleep(lookAgainMs);
  await removeStaleLabs(docker, () => undefined);
}
