/** The calibration server: it fails in one known way, and counts what arrived and how often it failed. */
import type { Socket } from 'node:net';
import type { Outcome } from '../run/files/ledger.ts';
import { reset, startRawServer, type Absence } from './raw-server.ts';

const body = 'x'.repeat(64);
const whole = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const wholeAndClose = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const half = whole.slice(0, -body.length / 2);

interface FaultFacts {
  /** What the server does, for the table's reader. */
  readonly what: string;
  /** What a client must see of a request that met it. */
  readonly outcome: Outcome;
  readonly misbehave: (socket: Socket) => void;
}

const doNothing = (): void => undefined;

/** Each way to fail. Every tenth request meets it; with `accept-rst`, every third connection. */
export const faults = {
  none: { what: 'answers all', outcome: 'ok', misbehave: doNothing },
  rst: { what: 'reads the request, then resets the connection', outcome: 'reset', misbehave: reset },
  fin: {
    what: 'reads the request, then closes without an answer',
    outcome: 'closed',
    misbehave: (socket) => socket.end(),
  },
  truncated: {
    what: 'sends half of the body, then closes',
    outcome: 'truncated',
    misbehave: (socket) => socket.end(half),
  },
  'rst-in-body': {
    what: 'sends half of the body, then resets',
    outcome: 'truncated',
    // A reset overtakes what was sent before it: the client has to have it first.
    misbehave: (socket) => socket.write(half, () => setTimeout(() => reset(socket), 20)),
  },
  'chunks-cut': {
    what: 'sends a chunk of a chunked body, then closes',
    outcome: 'truncated',
    misbehave: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  },
  close: {
    what: 'answers 200 with Connection: close, then closes',
    outcome: 'ok',
    misbehave: (socket) => socket.end(wholeAndClose),
  },
  'status-503': {
    what: 'answers 503',
    outcome: 'status-503',
    misbehave: (socket) => socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
  },
  hang: { what: 'reads the request and never answers', outcome: 'timeout', misbehave: doNothing },
  'accept-rst': { what: 'accepts the connection, then resets it', outcome: 'reset', misbehave: doNothing },
  'no-http': {
    what: 'answers with bytes that are no HTTP',
    outcome: 'parse',
    misbehave: (socket) => socket.end('hello, this is no HTTP\r\n\r\n'),
  },
} as const satisfies Record<string, FaultFacts>;

/** A fault by name. */
export type Fault = keyof typeof faults;

const faultEvery = 10;
const acceptRstEvery = 3;
/** With `accept-rst` connections end after so many answers, so that new ones keep coming. */
const answersPerConnection = 5;
/** From the first request to the absence. */
const awayAfterMs = 500;

/** What the server is to do. */
export interface FaultyTask {
  readonly fault: Fault;
  /** The listener and every connection are gone for so long; 0 is never. */
  readonly awayMs: number;
}

/** What the server counted. */
export interface ServerCounts {
  /** Requests read to their end. */
  readonly arrivals: number;
  /** Request ids that arrived more than once. */
  readonly repeatedIds: number;
  /** Requests, or with `accept-rst` connections, that met the fault. */
  readonly faulted: number;
  readonly absence: Absence | null;
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startFaultyServer({ fault, awayMs }: FaultyTask) {
  const ids = new Set<string>();
  const repeated = new Set<string>();
  let arrivals = 0;
  let faulted = 0;
  let absence: Absence | null = null;
  const leave = async (): Promise<void> => void (absence = await server.leave(awayMs));
  const server = await startRawServer({
    accepts: (nth) => {
      const isKept = fault !== 'accept-rst' || nth % acceptRstEvery !== acceptRstEvery - 1;
      if (!isKept) faulted++;
      return isKept;
    },
    serve: (socket, { id, nthOnConnection }) => {
      arrivals++;
      if (arrivals === 1 && awayMs > 0) setTimeout(() => void leave(), awayAfterMs);
      if (id !== null) (ids.has(id) ? repeated : ids).add(id);
      if (fault === 'accept-rst' && nthOnConnection + 1 === answersPerConnection) socket.end(wholeAndClose);
      else if (fault === 'accept-rst' || fault === 'none' || arrivals % faultEvery !== 0) socket.write(whole);
      else {
        faulted++;
        faults[fault].misbehave(socket);
      }
    },
  });
  // Once for practice: code that runs for the first time takes milliseconds, and the absence would be that much longer.
  await server.leave(0);
  return {
    port: server.port,
    counts: (): ServerCounts => ({ arrivals, repeatedIds: repeated.size, faulted, absence }),
    close: (): void => server.close(),
  };
}
