/** Servers for tests of the load: raw sockets, in plain text or under TLS, whose answers the test writes. */
import { createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { expect } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { listen } from './testing.ts';

/** A server, and how it is ended before its file's tests are. */
export interface TestServer {
  readonly port: number;
  close(): void;
}

const closing: (() => void)[] = [];

/** Ends the servers of a file's tests, which run side by side. */
export function stopServers(): void {
  for (const close of closing.splice(0)) close();
}

/** A server that does this with each connection. @param serve nth is 0 for the first */
export async function rawServer(serve: (socket: Socket, nth: number) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let nth = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, nth++);
  });
  const port = await listen(server);
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  closing.push(close);
  return { port, close };
}

/** One request, read whole, and the connection that it came on. */
export interface TestRequest {
  /** Where answers are written: the TCP connection, or TLS on it. */
  readonly socket: Socket;
  /** The TCP connection: what is done to it, TLS does not know. */
  readonly raw: Socket;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** 0 for the server's first. */
  readonly nth: number;
}

/** What a server does with a request. */
export type Behaviour = (request: TestRequest) => void;

/** A server that counts what arrives. */
export interface Witness extends TestServer {
  /** How often each request id arrived. */
  readonly arrivals: Map<string, number>;
  /** Connections, and handshakes that were done. */
  readonly counts: { connections: number; handshakes: number; resumed: number };
}

/** How a witness is reached. */
export interface WitnessSetting {
  /** Over TLS, where given. */
  readonly tls?: TLSSocketOptions;
  /** Takes a connection before anything is read of it: true where nothing shall be. */
  readonly accept?: (raw: Socket, nth: number) => boolean;
}

/** A server of one behaviour that counts what arrives. */
export async function witness(behave: Behaviour, { tls, accept }: WitnessSetting = {}): Promise<Witness> {
  const arrivals = new Map<string, number>();
  const counts = { connections: 0, handshakes: 0, resumed: 0 };
  const secure = tls === undefined ? null : { ...tls, isServer: true, secureContext: createSecureContext(tls) };
  let nth = 0;
  const server = await rawServer((raw, nthConnection) => {
    counts.connections++;
    if (accept?.(raw, nthConnection) === true) return;
    const socket = secure === null ? raw : new TLSSocket(streamOver(raw), secure);
    socket.on('error', () => raw.destroy());
    socket.on('secure', () => {
      counts.handshakes++;
      if ((socket as TLSSocket).isSessionReused()) counts.resumed++;
    });
    readRequests(socket, (id, request) => {
      arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
      behave({ ...request, socket, raw, nth: nth++ });
    });
  });
  return { ...server, arrivals, counts };
}

function readRequests(
  socket: Socket,
  arrived: (id: string, request: Pick<TestRequest, 'method' | 'path' | 'body'>) => void,
): void {
  let read = '';
  socket.on('data', (part: Buffer) => {
    read += part.toString('latin1');
    for (let end = read.indexOf('\r\n\r\n'); end >= 0; end = read.indexOf('\r\n\r\n')) {
      const head = read.slice(0, end);
      const next = end + 4 + Number(/content-length: (\d+)/iu.exec(head)?.[1] ?? 0);
      if (read.length < next) return;
      const body = read.slice(end + 4, next);
      read = read.slice(next);
      const [method = '', path = ''] = head.split(' ');
      arrived(/x-request-id: (\S+)/iu.exec(head)?.[1] ?? '', { method, path, body });
    }
  });
}

/** Both ends of the TCP connection stay in the test's hand: TLS neither closes it nor hears of its close. */
export function streamOver(raw: Socket): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => void raw.write(chunk, () => done()),
    final: (done) => {
      raw.end();
      done();
    },
  });
  raw.on('data', (bytes) => stream.push(bytes));
  raw.on('end', () => stream.push(null));
  return stream;
}

/** Every slot has one row; nothing arrived twice, and what was answered, at least, had arrived. */
export function expectBalanced(rows: readonly LedgerRow[], { arrivals }: Pick<Witness, 'arrivals'>): void {
  expect(rows.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from(rows, (_, seq) => seq));
  expect([...arrivals.values()].filter((times) => times !== 1)).toEqual([]);
  for (const { requestId, status } of rows) if (status !== null) expect(arrivals.get(requestId)).toBe(1);
}
