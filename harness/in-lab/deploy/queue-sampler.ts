/**
 * Runs in the lab's `server` container from before the load until it is told to end, or its input closes: samples how
 * many connections wait in the queue of each listening port. Its argument is the file that gets a {@link QueueSample}, a
 * line of JSON, for each port at first and then for each change.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import type { QueueSample } from '../../run/files/queues.ts';
import { listenQueues } from './listen-queues.ts';

const everyMs = 10;

const [path = ''] = process.argv.slice(2);
const over = new AbortController();
const end = (): void => over.abort();
process.stdin.once('data', end).once('end', end);
const before = new Map<number, number>();

function sample(): void {
  const atMonotonicUs = monotonicUs();
  const queues = listenQueues();
  let lines = '';
  for (const port of new Set([...before.keys(), ...queues.keys()])) {
    // A port that nobody listens at any more has lost its queue.
    const waiting = queues.get(port) ?? 0;
    if (before.get(port) === waiting) continue;
    before.set(port, waiting);
    lines += `${JSON.stringify({ atMonotonicUs, port, waiting } satisfies QueueSample)}\n`;
  }
  if (lines !== '') appendFileSync(path, lines);
}

appendFileSync(path, '');
sample();
// The load begins only after this line: the verdict needs a sample from before it.
process.stdout.write('sampling\n');
while (!over.signal.aborted) {
  await sleep(everyMs);
  sample();
}
// A sampler that died does not say this: what waited afterwards is then not known.
process.stdout.write('sampled\n');
process.stdin.destroy();
