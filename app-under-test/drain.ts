/**
 * How the public port leaves. Both ways close only the site's own copy of the listening socket, without shutdown(2):
 * where systemd holds it too, connections go on waiting in its queue for the next process.
 *
 * `polite`: the listening handle alone is closed, and every answer from then on ends its connection. A proxy that sends
 * a request on a kept connection gets its answer, and learns from that answer that the connection is over; nobody
 * writes into a connection that is being closed. Idle connections are ended once nothing has arrived for a while.
 *
 * `naive`: what Go's http.Server.Shutdown, Node's http.Server.close and most frameworks do: idle connections are closed
 * at once. A request that the proxy is about to write on one of them is lost.
 */
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from './clock.ts';
import type { Log } from './log.ts';
import type { PublicServer } from './server.ts';

/** How to drain, in milliseconds. */
export interface DrainPlan {
  readonly style: 'polite' | 'naive';
  /** How long without any request until a polite drain ends idle connections. */
  readonly quietMs: number;
  /** After this long, what is open is cut. */
  readonly timeoutMs: number;
}

/**
 * Stops accepting and resolves once no connection is open, at the latest shortly after the timeout. Writes the events
 * `accept-stopped`, and `drained` or `drain-timeout`. Never rejects.
 */
export async function drain(site: PublicServer, plan: DrainPlan, log: Log): Promise<void> {
  const { server, connections } = site;
  site.lastAnswers();
  // http.Server.close would end idle connections as well; net.Server's does what its name says.
  if (plan.style === 'polite') NetServer.prototype.close.call(server);
  else server.close();
  const stoppedMs = monotonicUs() / 1000;
  log.event('accept-stopped', { open: connections.open(), inFlight: connections.inFlight() });

  const over = new AbortController();
  const empty = connections.whenNoneOpen().then(() => 'drained' as const);
  const late = sleep(plan.timeoutMs, 'late' as const, { signal: over.signal }).catch(() => 'late' as const);
  if (plan.style === 'polite') void endIdleWhenQuiet(site, plan.quietMs, stoppedMs, over.signal);
  const outcome = await Promise.race([empty, late]);
  over.abort();

  if (outcome === 'drained') {
    log.event('drained', { tookMs: Math.round(monotonicUs() / 1000 - stoppedMs) });
    return;
  }
  const cut = connections.inFlight();
  const ended = connections.endIdle();
  log.event('drain-timeout', { waitingFor: 'connections', inFlight: cut, idle: ended, open: connections.open() });
  connections.destroyAll();
  // Requests that were cut write their line in the log when their connection has closed, a turn of the loop later.
  await Promise.race([empty, sleep(20)]);
}

/** Counts the quiet from the moment on which answers end their connections: before it, being idle meant being kept. */
async function endIdleWhenQuiet(
  { connections }: PublicServer,
  quietMs: number,
  stoppedMs: number,
  over: AbortSignal,
): Promise<void> {
  let countedFromMs = stoppedMs;
  while (!over.aborted) {
    const quietSinceMs = Math.max(connections.lastArrivalMs(), countedFromMs);
    const leftMs = quietSinceMs + quietMs - monotonicUs() / 1000;
    if (leftMs <= 0) {
      connections.endIdle();
      countedFromMs = monotonicUs() / 1000;
    }
    // At least a little, so that a quiet time of 0 does not spin.
    await sleep(Math.max(leftMs, 10), undefined, { signal: over }).catch(() => undefined);
  }
}
