/** A server on raw TCP, in this process: it reads requests whole, and does with each what it is told, byte for byte. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../base/clock.ts';

/** A request that was read to its end. */
interface RawRequest {
  readonly head: string;
  readonly body: Buffer;
  /** From 0, in the order of arrival at the server. */
  readonly nth: number;
  /** From 0, in the order of arrival on its connection. */
  readonly nthOnConnection: number;
  /** Its header X-Request-Id. */
  readonly id: string | null;
}

/** What is done with a request. */
export type Behaviour = (socket: Socket, request: RawRequest) => void;

interface RawTask {
  readonly serve: Behaviour;
  /** A request is there when its head is, without a body. */
  readonly isEarly?: true;
  /** Is the connection with this number, from 0, kept? If not, it is reset at once. */
  readonly accepts?: (nth: number) => boolean;
}

/** The time in which nobody listened (CLOCK_MONOTONIC). */
export interface Absence {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startRawServer({ serve, isEarly, accepts }: RawTask) {
  const sockets = new Set<Socket>();
  let connections = 0;
  let requests = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    if (accepts?.(connections++) === false) {
      reset(socket);
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    let nthOnConnection = 0;
    readRequests(socket, isEarly === true, (request) =>
      serve(socket, { ...request, nth: requests++, nthOnConnection: nthOnConnection++ }),
    );
  });
  const listen = (port: number): Promise<number> =>
    new Promise((resolve) => server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => resolve(monotonicUs())));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    /** Resets every connection and listens to nobody for so long. */
    leave: async (awayMs: number): Promise<Absence> => {
      const fromUs = monotonicUs();
      server.close();
      for (const socket of sockets) reset(socket);
      await sleep(awayMs);
      return { fromUs, toUs: await listen(port) };
    },
    close: (): void => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Resets a connection. One that is being shut down is closed instead: libuv refuses to reset it, and Node then keeps its
 * handle, so that the process would never end.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Calls `read` for every request on the connection. */
function readRequests(
  socket: Socket,
  isEarly: boolean,
  read: (request: Pick<RawRequest, 'head' | 'body' | 'id'>) => void,
): void {
  let pending: Buffer = Buffer.alloc(0);
  /** Bytes of a body that are passed over. */
  let unread = 0;
  socket.on('data', (part) => {
    pending = pending.length === 0 ? part : Buffer.concat([pending, part]);
    for (;;) {
      const passed = Math.min(unread, pending.length);
      unread -= passed;
      pending = pending.subarray(passed);
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.toString('latin1', 0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/iu.exec(head)?.[1] ?? 0);
      const bodyEnd = end + 4 + (isEarly ? 0 : length);
      if (pending.length < bodyEnd) return;
      const body = pending.subarray(end + 4, bodyEnd);
      pending = pending.subarray(bodyEnd);
      if (isEarly) unread = length;
      read({ head, body, id: /\r\nx-request-id: *(\S+)/iu.exec(head)?.[1] ?? null });
    }
  });
}
