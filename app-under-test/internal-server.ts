/** The internal port: what a proxy or an engineer asks about the process itself. It listens before the warm-up. */
import { createServer, type Server } from 'node:http';
import { isRead, noSuchPath, send, splitUrl, wrongMethod, type Answer } from './answer.ts';
import type { Identity } from './log.ts';

/** Where the process is in its life: ready between the end of the warm-up and SIGTERM. */
export type Phase = 'warming' | 'ready' | 'stopping';

/**
 * The server of `/livez` (200 while the process answers), `/readyz` and the legacy `/healthz` (200 while ready, else
 * 503 with the phase).
 */
export function createInternalServer(identity: Identity, phase: () => Phase): Server {
  return createServer((request, response) => {
    const { path } = splitUrl(request.url);
    const answer = (): Answer => {
      if (!['/livez', '/readyz', '/healthz'].includes(path)) return noSuchPath;
      if (!isRead(request)) return wrongMethod('GET');
      if (path === '/livez') return { status: 200, body: { status: 'alive' } };
      return { status: phase() === 'ready' ? 200 : 503, body: { status: phase() } };
    };
    send(response, identity, false, answer());
  });
}
