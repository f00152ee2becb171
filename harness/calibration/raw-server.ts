/** A server on raw TCP, in this process: it reads requests whole, and does with each what it is told, byte for byte. */
import { createServer, type Socket } from 'node:net';

/** A request that was read to its end. */
export interface RawRequest {
  readonly head: string;
  readonly body: Buffer;
  /** From 0, in the order of arrival at the server. */
  readonly nth: number;
  /** Its header X-Request-Id. */
  readonly id: string | null;
}

/** What is done with a request. */
export type Behaviour = (socket: Socket, request: RawRequest) => void;

/** A server that is up. */
export interface RawServer {
  readonly port: number;
  close(): void;
}

/** Starts a server on a free port of 127.0.0.1. With `isEarly`, a request is there when its head is, without a body. */
export async function startRawServer(behaviour: Behaviour, isEarly = false): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let nth = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let read: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let unread = 0;
    socket.on('data', (part) => {
      read = Buffer.concat([read, part]);
      for (;;) {
        const passed = Math.min(unread, read.length);
        unread -= passed;
        read = read.subarray(passed);
        const next = nextRequest(read, isEarly);
        if (next === null) return;
        read = read.subarray(next.size);
        unread = next.unread;
        const id = /\r\nx-request-id: *(\S+)/iu.exec(next.head)?.[1] ?? null;
        behaviour(socket, { head: next.head, body: next.body, nth: nth++, id });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the raw server has no port');
  return {
    port: address.port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface NextRequest {
  readonly head: string;
  readonly body: Buffer;
  /** Its bytes that are there, and those of its body that are still to come. */
  readonly size: number;
  readonly unread: number;
}

function nextRequest(read: Buffer, isEarly: boolean): NextRequest | null {
  const end = read.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = read.toString('latin1', 0, end);
  const length = Number(/\r\ncontent-length: *(\d+)/iu.exec(head)?.[1] ?? 0);
  const begin = end + 4;
  if (isEarly) return { head, body: Buffer.alloc(0), size: begin, unread: length };
  return read.length < begin + length
    ? null
    : { head, body: read.subarray(begin, begin + length), size: begin + length, unread: 0 };
}
