/**
 * How the site leaves at SIGTERM: not ready at once, the grace period, then a graceful close that never outlives its
 * timeout.
 */
import { Server as TcpServer } from 'node:net';
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connections } from './connections.ts';
import type { Log } from './log.ts';
import type { Options } from './options.ts';
import { closeAfterAnswer, type State } from './server.ts';

/** How often a polite drain looks whether nothing arrives any more. */
const quietPollMs = 25;

/** What a drain acts upon. */
export interface Draining {
  readonly options: Pick<Options, 'drain' | 'drainQuietMs' | 'shutdownGracePeriodMs' | 'shutdownTimeoutMs'>;
  readonly server: Server;
  readonly connections: Connections;
  /** Answers that are not finished. */
  readonly responses: ReadonlySet<ServerResponse>;
  readonly state: State;
  readonly log: Log;
}

/**
 * Ends the traffic of a site that has been told to go.
 * `polite`: only the listening socket is closed; each kept connection is answered once more, with `Connection: close`,
 * since a proxy may be writing to any of them at this moment. A request that meets a connection closed under it is sent
 * again by the proxy if it is a GET, and fails with 502 if it is a POST.
 * `naive`: what Go's Shutdown and most frameworks do: idle connections are ended at once.
 * @returns true when every connection had ended by itself, false when the timeout cut some
 */
export async function drain({ options, server, connections, responses, state, log }: Draining): Promise<boolean> {
  await sleep(options.shutdownGracePeriodMs);
  const deadline = performance.now() + options.shutdownTimeoutMs;
  stopAccepting(server);
  log.event('accept-stopped', { open: connections.open(), inFlight: connections.inFlight() });
  state.closing = true;
  closeAfterAnswer(responses);
  if (options.drain === 'naive') connections.endIdle();

  const timeout = new AbortController();
  const end = connections.whenNoneOpen().then(() => true);
  const late = sleep(options.shutdownTimeoutMs, false, { signal: timeout.signal }).catch(() => false);
  if (options.drain === 'polite') void endWhenQuiet(connections, options.drainQuietMs, timeout.signal);
  const done = await Promise.race([end, late]);
  timeout.abort();
  if (!done) {
    log.event('drain-timeout', { open: connections.open(), inFlight: connections.inFlight() });
    connections.destroyAll();
  }
  log.event('drained', { leftMs: Math.round(deadline - performance.now()) });
  return done;
}

/**
 * Closes the listening socket and nothing else: http.Server's own close would end idle connections too. No shutdown(2):
 * systemd holds the same socket.
 */
function stopAccepting(server: Server): void {
  if (server.listening) TcpServer.prototype.close.call(server);
}

/** Where nothing arrives for a while nobody is using the connections that are left: they are ended. */
async function endWhenQuiet(connections: Connections, quietMs: number, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  while (!signal.aborted) {
    await sleep(quietPollMs);
    if (performance.now() - Math.max(startedMs, connections.lastArrivalMs()) >= quietMs) connections.endIdle();
  }
}
