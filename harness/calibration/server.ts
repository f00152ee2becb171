/**
 * The calibration server: raw TCP, so that it can fail in every way there is, and counts what it did. A process of its
 * own: its task is its argument, its port is the first line it writes, and each line it reads is answered with counts.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { monotonicUs } from '../base/clock.ts';
import { faultEvery, type ServerMessage, type ServerTask } from './faults.ts';

const { fault, awayMs } = JSON.parse(process.argv[2] ?? '{}') as ServerTask;
/** From the first request to the absence. */
const awayAfterMs = 500;
/** With `accept-rst`, connections end after so many answers, so that new ones keep coming; and every third is reset. */
const answersPerConnection = 5;
const acceptRstEvery = 3;

const body = 'x'.repeat(64);
const whole = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const wholeAndClose = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const half = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 32)}`;

const times = new Map<string, number>();
let arrivals = 0;
let accepted = 0;
let faulted = 0;
let awayFromUs: number | null = null;
let awayToUs: number | null = null;
let server: Server | undefined;
const sockets = new Set<Socket>();

function say(message: ServerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function serve(socket: Socket): void {
  accepted++;
  if (fault === 'accept-rst' && accepted % acceptRstEvery === 0) {
    faulted++;
    socket.resetAndDestroy();
    return;
  }
  sockets.add(socket);
  socket.setNoDelay(true);
  let answers = 0;
  let read = '';
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  // What a client sees of a FIN must not depend on the server's own FIN being late.
  socket.on('end', () => socket.end());
  socket.on('data', (part) => {
    read += part.toString('latin1');
    for (;;) {
      const end = read.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/\r\ncontent-length: *(\d+)/iu.exec(read.slice(0, end))?.[1] ?? 0);
      if (read.length < end + 4 + length) return;
      const id = /\r\nx-request-id: *(\S+)/iu.exec(read.slice(0, end))?.[1];
      read = read.slice(end + 4 + length);
      answers++;
      requested(socket, id, answers);
    }
  });
}

function requested(socket: Socket, id: string | undefined, answers: number): void {
  arrivals++;
  if (arrivals === 1 && awayMs > 0) setTimeout(leave, awayAfterMs);
  if (id !== undefined) times.set(id, (times.get(id) ?? 0) + 1);
  if (fault === 'accept-rst') {
    if (answers < answersPerConnection) socket.write(whole);
    else socket.end(wholeAndClose);
    return;
  }
  if (fault === 'none' || arrivals % faultEvery !== 0) {
    socket.write(whole);
    return;
  }
  faulted++;
  misbehave(socket);
}

function misbehave(socket: Socket): void {
  switch (fault) {
    case 'rst':
      socket.resetAndDestroy();
      return;
    case 'fin':
      socket.end();
      return;
    case 'truncated':
      socket.end(half);
      return;
    case 'rst-in-body':
      // A reset overtakes what was sent before it: the client has to have it first.
      socket.write(half, () => setTimeout(() => socket.resetAndDestroy(), 20));
      return;
    case 'chunks-cut':
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      return;
    case 'close':
      socket.end(wholeAndClose);
      return;
    case '503':
      socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      return;
    case 'no-http':
      socket.end('hello, this is no HTTP\r\n\r\n');
      return;
    case 'hang':
    case 'none':
    case 'accept-rst':
      return;
  }
}

function listen(port: number, done: (port: number) => void): void {
  server = createServer(serve);
  server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => {
    const address = server?.address();
    done(typeof address === 'object' && address !== null ? address.port : 0);
  });
}

/** Nobody listens and every connection is reset, for `awayMs`. */
function leave(): void {
  const address = server?.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server?.close();
  awayFromUs = monotonicUs();
  for (const socket of sockets) socket.resetAndDestroy();
  setTimeout(() => listen(port, () => (awayToUs = monotonicUs())), awayMs);
}

// Once for practice: code that runs for the first time takes milliseconds, and the absence would be longer than it says.
listen(0, () => {
  server?.close(() => listen(0, (port) => say({ kind: 'listening', port })));
});
const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  const repeatedIds = [...times.values()].filter((count) => count > 1).length;
  say({ kind: 'counts', arrivals, repeatedIds, faulted, awayFromUs, awayToUs });
});
lines.on('close', () => process.exit(0));
