/**
 * Runs in the lab's `server` container from before the load until it is told to end, or its input closes: samples how
 * many connections wait in the queue of each listening port. Its arguments are the file that gets a {@link QueueSample}, a
 * line of JSON, for each port at first and then for each change; and how often it looks, in milliseconds.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import type { QueueSample } from '../../run/files/queues.ts';
import { listenQueues } from './listen-queues.ts';

const [path = '', everyMs = '10'] = process.argv.slice(2);
const over = new AbortController();
const end = (): void => over.abort();
process.stdin.once('data', end).once('end', end);
/** In place of a number: nobody listens. */
const closed = -1;
const before = new Map<number, number>();

function sample(): void {
  const atMonotonicUs = monotonicUs();
  const queues = listenQueues();
  let lines = '';
  for (const port of new Set([...before.keys(), ...queues.keys()])) {
    // A port that nobody listens at any more has lost its queue.
    const waiting = queues.get(port) ?? closed;
    if (before.get(port) === waiting) continue;
    before.set(port, waiting);
    const sample: QueueSample =
      waiting === closed ? { atMonotonicUs, port, waiting: 0, closed: true } : { atMonotonicUs, port, waiting };
    lines += `${JSON.stringify(sample)}\n`;
  }
  if (lines !== '') appendFileSync(path, lines);
}

appendFileSync(path, '');
sample();
// The load begins only after this line: the verdict needs a sample from before it.
process.stdout.write('sampling\n');
while (!over.signal.aborted) {
  await sleep(Number(everyMs));
  sample();
}
// A sampler that died does not say this: what waited afterwards is then not known.
process.stdout.write('sampled\n');
process.stdin.destroy();
