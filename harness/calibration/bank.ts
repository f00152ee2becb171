/** The bank of servers, after bugs that others have met: each does one thing, and what must be counted is known. */
import type { Socket } from 'node:net';
import type { Service } from '../experiment/service.ts';
import { reset, type Behaviour } from './raw-server.ts';

/** One case. */
export interface BankCase {
  readonly name: string;
  readonly serve: Behaviour;
  /** The server acts when a request's head has come. */
  readonly isEarly?: true;
  /** What is asked, where it is not 50 GETs at 100 a second on kept and new connections. */
  readonly asked?: Partial<Service>;
  readonly body?: Buffer;
  readonly slots?: number;
  /** What must be counted, where it is not every answer as ok. */
  readonly outcomes?: Readonly<Record<string, number>>;
  /** Takes seconds, and is left out of the short form. */
  readonly isLong?: true;
  /** Where curl, asked the same once, does otherwise: why. */
  readonly unlikeCurl?: string;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const noContent = 'HTTP/1.1 204 No Content\r\n\r\n';
const refusal = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig';
const megabyte = 2 ** 20;
const upload = { asked: { method: 'POST' }, body: Buffer.alloc(2 * megabyte) } as const;
const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const large = Buffer.alloc(17 * megabyte, 'x');

/** Writes, where the client has not closed meanwhile. */
function writeOn(socket: Socket, text: string): void {
  if (!socket.destroyed) socket.write(text);
}

/** All cases. */
export const bankCases: readonly BankCase[] = [
  {
    name: 'asks every POST for a length',
    serve: (socket, { head }) =>
      socket.write(/^content-length:/imu.test(head) ? ok : 'HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n'),
    asked: { method: 'POST' },
    unlikeCurl: 'curl -X POST alone sends none',
  },
  {
    name: 'takes only the bytes that were meant',
    serve: (socket, { body }) =>
      socket.write(body.equals(bytes) ? ok : 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    asked: { method: 'PUT' },
    body: bytes,
  },
  {
    name: 'refuses an upload before it has read it, and closes',
    isEarly: true,
    serve: (socket) => {
      socket.pause();
      socket.write(refusal, () => socket.destroy());
    },
    ...upload,
    outcomes: { 'status-413': 50 },
  },
  {
    name: 'refuses an upload, and resets',
    isEarly: true,
    serve: (socket) => {
      socket.pause();
      socket.write(refusal, () => reset(socket));
    },
    ...upload,
    outcomes: { 'status-413': 50 },
  },
  {
    name: 'answers an upload before it has read it, and reads on',
    isEarly: true,
    serve: (socket) => socket.write(ok),
    ...upload,
  },
  { name: 'sends a body behind a 204', serve: (socket) => socket.write(`${noContent}{}`) },
  {
    name: 'sends a body 5 ms behind a 204',
    serve: (socket) => {
      socket.write(noContent);
      setTimeout(() => writeOn(socket, '{}'), 5);
    },
  },
  {
    name: 'answers twice, the second time 3 ms later',
    serve: (socket) => {
      socket.write(ok);
      setTimeout(() => writeOn(socket, ok), 3);
    },
  },
  {
    name: 'closes each connection behind the answer without a word',
    serve: (socket) => socket.end(ok),
  },
  {
    name: 'gives each tenth early hints and closes',
    serve: (socket, { nth }) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      if (nth % 10 === 9) socket.end();
      else setTimeout(() => socket.write(ok), 20);
    },
    outcomes: { ok: 45, closed: 5 },
  },
  {
    name: 'answers each tenth in part and resets',
    serve: (socket, { nth }) => {
      if (nth % 10 === 9) socket.write(ok.slice(0, -1), () => setTimeout(() => reset(socket), 20));
      else socket.write(ok);
    },
    outcomes: { ok: 45, truncated: 5 },
  },
  {
    name: 'has no length and ends by closing',
    serve: (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'),
  },
  {
    name: 'sends events and never ends',
    serve: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n'),
    asked: { timeoutMs: 300 },
    outcomes: { timeout: 50 },
  },
  {
    name: 'answers a moment after the deadline',
    serve: (socket) => setTimeout(() => socket.write(ok), 105),
    asked: { timeoutMs: 100 },
    outcomes: { timeout: 50 },
    unlikeCurl: 'it has a deadline of a second here',
  },
  {
    name: 'sends an answer of 17 MiB',
    serve: (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
      socket.write(large);
    },
    asked: { ratePerSecond: 2 },
    slots: 2,
  },
  {
    name: 'keeps a connection for a second, and is asked once a second',
    serve: (socket) => {
      const closing = setTimeout(() => socket.destroy(), 1_000);
      socket.once('data', () => clearTimeout(closing));
      socket.write(ok.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n'));
    },
    asked: { ratePerSecond: 1, connections: 'kept' },
    slots: 5,
    isLong: true,
  },
];
