/**
 * A server that answers at once and remembers when each request arrived; for benchmarks, so as lean as can be: only GET,
 * one request at a time on a connection. Its port is the first line it writes; the rate on a line of its input is
 * answered with the summary of what arrived since the last.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { monotonicUs } from '../base/clock.ts';
import { summarizeArrivals } from './arrivals.ts';

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const endOfHead = Buffer.from('\r\n\r\n');
let arrivalsUs: number[] = [];

const server = createServer({ noDelay: true }, (socket) => {
  let read: Buffer | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (part) => {
    read = read === undefined ? part : Buffer.concat([read, part]);
    if (!read.subarray(-endOfHead.length).equals(endOfHead)) return;
    arrivalsUs.push(monotonicUs());
    read = undefined;
    socket.write(answer);
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  process.stdout.write(`${JSON.stringify(summarizeArrivals(arrivalsUs, Number(line)))}\n`);
  arrivalsUs = [];
});
lines.on('close', () => process.exit(0));
