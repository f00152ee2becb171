/** Who is connected, and what for: the facts a drain decides by. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Traffic {
  inFlight: number;
  /** Bytes that had been read when the last answer was finished: more of them now means a request has begun. */
  bytesReadWhenIdle: number;
}

/** Watches the connections of `server` from now on. */
export function trackConnections(server: Server, nowMs: () => number) {
  const traffic = new Map<Socket, Traffic>();
  let inFlight = 0;
  let lastArrivalMs = -Infinity;
  let waiting: (() => void)[] = [];

  server.on('connection', (socket: Socket) => {
    traffic.set(socket, { inFlight: 0, bytesReadWhenIdle: 0 });
    socket.on('close', () => {
      traffic.delete(socket);
      if (traffic.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    });
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    lastArrivalMs = nowMs();
    inFlight += 1;
    const its = traffic.get(socket);
    if (its) its.inFlight += 1;
    response.on('close', () => {
      inFlight -= 1;
      if (!its) return;
      its.inFlight -= 1;
      its.bytesReadWhenIdle = socket.bytesRead;
    });
  });

  return {
    /** Connections that were accepted and are not yet closed. */
    open: () => traffic.size,
    /** Requests that were read and are not yet answered. */
    inFlight: () => inFlight,
    /** When the last request arrived (CLOCK_MONOTONIC ms), or -Infinity. */
    lastArrivalMs: () => lastArrivalMs,
    /** Resolves once no connection is open. */
    whenNoneOpen: async () => {
      if (traffic.size > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    /**
     * Closes each connection that has no request, not even the beginning of one. Returns how many. Closed for good, not
     * only for writing: a request that arrives later must be reset, not carried out without an answer.
     */
    endIdle: () => {
      const idle = [...traffic].filter(
        ([socket, its]) => its.inFlight === 0 && socket.bytesRead === its.bytesReadWhenIdle,
      );
      for (const [socket] of idle) socket.destroy();
      return idle.length;
    },
    /** Destroys every connection, answered or not. */
    destroyAll: () => {
      for (const socket of [...traffic.keys()]) socket.destroy();
    },
  };
}
