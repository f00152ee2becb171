/**
 * What the site does while it warms up: it answers requests of its own making, on a socket that has no port, so that
 * the first real ones do not meet code that has never run. Without it, a site that comes back to a full queue works it
 * off so slowly at first that requests wait longer than the site was away. Nothing is written, in the store or the log.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';
import { createPublicServer, type PublicServerParts } from './server.ts';

const silent: Log = { event: () => undefined, request: () => undefined };

const actors = 4;

/** One of each kind that writes nothing: the second reads the store, the third is refused when its body is parsed. */
const rehearsals = [
  { method: 'GET', path: '/livez', body: '' },
  { method: 'GET', path: '/notes/warm-up', body: '' },
  { method: 'POST', path: '/notes', body: '{"id":"warm-up"}' },
];

/**
 * Rehearses until the clock of `performance.now()` says `untilMs`, or `over` does; a request that is not answered by
 * then is given up. Resolves with the number of requests answered; never rejects: where nothing can be rehearsed, the
 * site is as cold as it was.
 */
export async function warmUp(
  untilMs: number,
  parts: Omit<PublicServerParts, 'log'>,
  over: () => boolean,
): Promise<number> {
  let answered = 0;
  const { server } = createPublicServer({ ...parts, log: silent });
  const agent = new Agent();
  // An abstract socket of Linux: no file, no port. Elsewhere it cannot be had, and the site starts cold.
  const socketPath = `\0warm-up-${process.pid}`;
  const act = async (): Promise<void> => {
    for (let turn = 0; performance.now() < untilMs && !over(); turn += 1) {
      for (const { method, path, body } of rehearsals) {
        await new Promise((resolve, reject) => {
          request({ socketPath, agent, method, path }, (response) => response.resume().on('close', resolve))
            .on('error', reject)
            .end(body);
        });
        answered += 1;
      }
    }
  };
  try {
    await once(server.listen(socketPath), 'listening');
    const played = Promise.all(Array.from({ length: actors }, act));
    played.catch(() => undefined);
    await Promise.race([played, sleep(Math.max(untilMs - performance.now(), 0))]);
  } catch {
    // See above.
  } finally {
    server.close();
    server.closeAllConnections();
  }
  return answered;
}
