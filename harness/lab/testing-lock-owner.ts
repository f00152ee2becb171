/**
 * For tests: a process that takes the measuring lock and says so, a line each: `waits for <owner>`, `held by <owner>`,
 * `lost`. It ends when it is killed, or gives the lock back when its input ends.
 */
import { once } from 'node:events';
import { connectEngine } from './engine/engine.ts';
import { labImageTag } from './image.ts';
import { lockMeasuring } from './measuring-lock.ts';
import { thisOwner } from './owner.ts';

const { docker, facts } = await connectEngine();
const lock = await lockMeasuring(docker, {
  image: labImageTag(facts.architecture),
  command: 'a test',
  signal: new AbortController().signal,
  onHeld: ({ owner }) => console.log(`waits for ${owner}`),
});
console.log(`held by ${thisOwner}`);
const look = setInterval(() => {
  if (lock.troubles().length === 0) return;
  console.log('lost');
  clearInterval(look);
}, 100);
process.stdin.resume();
await once(process.stdin, 'end');
clearInterval(look);
await lock.release();
