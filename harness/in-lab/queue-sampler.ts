/**
 * Runs in the lab's `server` container from before the load until it is told to end, or its input closes: samples how
 * many connections wait in the queue of each listening port. Its argument is the file that gets a {@link QueueSample}, a
 * line of JSON, for each port at first and then for each change.
 *
 * /proc/net/tcp and tcp6 have a row a socket, those that listen first; their column rx_queue then holds the connections
 * that wait to be accepted (net/ipv4/tcp_ipv4.c, get_tcp4_sock). Reading the first part alone costs the same however many
 * connections there are.
 */
import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../base/clock.ts';
import type { QueueSample } from '../run/files/queues.ts';

const everyMs = 10;
const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
/** A row has 150 to 180 bytes: room for some forty listening sockets in each table. */
const buffer = Buffer.alloc(8_192);
/** TCP_LISTEN in the kernel's numbers. */
const listening = '0A';

function addQueues(table: string, queues: Map<number, number>): void {
  const file = openSync(table, 'r');
  try {
    const [, ...rows] = buffer.toString('latin1', 0, readSync(file, buffer)).split('\n');
    for (const row of rows) {
      const [, local = '', , state, sizes = ''] = row.trim().split(/\s+/u);
      if (state !== listening) return;
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      // The same port may listen at several addresses.
      queues.set(port, (queues.get(port) ?? 0) + Number.parseInt(sizes.split(':')[1] ?? '', 16));
    }
  } finally {
    closeSync(file);
  }
}

const [path = ''] = process.argv.slice(2);
const over = new AbortController();
const end = (): void => over.abort();
process.stdin.once('data', end).once('end', end);
const before = new Map<number, number>();

function sample(): void {
  const atMonotonicUs = monotonicUs();
  const queues = new Map<number, number>();
  for (const table of tables) addQueues(table, queues);
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
