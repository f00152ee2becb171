/**
 * How many connections wait in the queue of each listening port. /proc/net/tcp and tcp6 have a row a socket, those that
 * listen first; their column rx_queue then holds the connections that wait to be accepted (net/ipv4/tcp_ipv4.c,
 * get_tcp4_sock). Reading the first part alone costs the same however many connections there are.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
/** A row has 150 to 180 bytes: room for some two hundred listening sockets in each table. */
const buffer = Buffer.alloc(32_768);
/** TCP_LISTEN in the kernel's numbers. */
const listening = '0A';

/** By port, those of this network namespace. */
export function listenQueues(): Map<number, number> {
  const queues = new Map<number, number>();
  for (const table of tables) addQueues(table, queues);
  return queues;
}

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
