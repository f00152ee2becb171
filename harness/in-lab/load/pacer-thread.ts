/**
 * The thread that sleeps until the next slot and tells the main thread how many are due.
 * A thread that sleeps in a futex wakes within about 0.1 ms; a timer of the event loop rounds up to the next millisecond.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from '../../base/clock.ts';
import { shareOfSlots, slotOfShare, slotsDueBy, type SlotShare } from './pacer.ts';
import { dueUsOf } from '../../experiment/load-schedule.ts';

/** What the main thread hands over. */
export interface PacerTask {
  readonly ratePerSecond: number;
  /** How many slots the load has, and which of them are told. */
  readonly slots: number;
  readonly share: SlotShare;
  /** Shared; its only place becomes 1 to stop early. */
  readonly stop: Int32Array;
}

/** Shortest sleep: above 2000 slots a second several are told at once, or the messages alone fill a core. */
const shortestSleepMs = 0.5;

const port = parentPort;
if (port === null) throw new Error('pacer-thread runs as a worker thread only');
const { ratePerSecond, slots, share, stop } = workerData as PacerTask;

port.once('message', (originUs: number) => {
  let told = 0;
  const count = shareOfSlots(slots, share);
  while (told < count && Atomics.load(stop, 0) === 0) {
    const elapsedUs = monotonicUs() - originUs;
    const due = shareOfSlots(slotsDueBy(elapsedUs, ratePerSecond, slots), share);
    if (due > told) {
      told = due;
      port.postMessage(told);
    }
    if (told >= count) break;
    const waitMs = (dueUsOf(slotOfShare(told, share), ratePerSecond) - (monotonicUs() - originUs)) / 1000;
    Atomics.wait(stop, 0, 0, Math.max(waitMs, told === 0 ? 0 : shortestSleepMs));
  }
  port.close();
});
port.postMessage('ready');
