/**
 * The thread that sleeps until the next slot and tells the main thread how many are due.
 * A thread that sleeps in a futex wakes within about 0.1 ms; a timer of the event loop rounds up to the next millisecond.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from './clock.ts';
import { dueUsOf, slotsDueBy } from './pacer.ts';

/** What the main thread hands over. */
export interface PacerTask {
  readonly ratePerSecond: number;
  readonly count: number;
  /** Int32: [0] becomes 1 to stop early. */
  readonly stop: SharedArrayBuffer;
}

/** Shortest sleep: above 2000 slots a second several are told at once, or the messages alone fill a core. */
const shortestSleepMs = 0.5;

const port = parentPort;
if (port === null) throw new Error('pacer-thread runs as a worker thread only');
const task = workerData as PacerTask;
const stop = new Int32Array(task.stop);

port.once('message', (originUs: number) => {
  let told = 0;
  while (told < task.count && Atomics.load(stop, 0) === 0) {
    const elapsedUs = monotonicUs() - originUs;
    const due = slotsDueBy(elapsedUs, task.ratePerSecond, task.count);
    if (due > told) {
      told = due;
      port.postMessage(told);
    }
    if (told >= task.count) break;
    const waitMs = (dueUsOf(told, task.ratePerSecond) - (monotonicUs() - originUs)) / 1000;
    Atomics.wait(stop, 0, 0, Math.max(waitMs, told === 0 ? 0 : shortestSleepMs));
  }
  port.close();
});
port.postMessage('ready');
