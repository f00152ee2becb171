// A shop that loses nothing in a restart: it takes the socket that systemd keeps, and ends each connection with an answer
// that says so.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Server } from 'node:net';

const [address, orders, warmupMs] = process.argv.slice(2);
const [host, port] = address.split(':');
let draining = false;

const server = createServer((request, response) => {
  response.setHeader('X-App-Version', process.env.VERSION ?? 'v0');
  // The last answer on this connection: the next request comes on a new one.
  if (draining) response.setHeader('Connection', 'close');
  if (request.method !== 'POST') return response.end('ok\n');
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    appendFileSync(orders, `${JSON.parse(body).id}\n`);
    response.writeHead(201).end('thank you\n');
  });
});

// systemd's socket, where it gives one to this very process; else a port of its own. Node listens once more on a socket
// that it is given: without a backlog, only 511 could wait there.
const isGiven = process.env.LISTEN_PID === String(process.pid);
setTimeout(() => {
  if (isGiven) server.listen({ fd: 3 }, 4_096);
  else server.listen(Number(port), host);
}, Number(warmupMs));

process.on('SIGTERM', () => {
  draining = true;
  // No new connections: they wait for the next process. The close() of node:http would end idle ones at once, too; here each
  // gets a last answer, and what nobody has used for a second is closed.
  Server.prototype.close.call(server, () => process.exit(0));
  setTimeout(() => server.closeIdleConnections(), 1_000);
});
