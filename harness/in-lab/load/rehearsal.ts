/**
 * A load against a server of our own in the same thread, before the real one: code that has never run is many times
 * slower, and at high rates the first second's requests would leave late for no other reason. None of it is recorded.
 */
import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type Server } from 'node:net';
import { monotonicUs } from '../../base/clock.ts';
import { prepareLoad } from './generator.ts';
import type { LoadPlan } from './plan.ts';

/** Below this rate there is time enough between two requests even for code that is cold. */
const worthwhileFromRate = 2_000;
const durationMs = 300;
const highestRate = 4_000;

/** Rehearses the plan, if its rate is high enough for it to matter. */
export async function rehearse(plan: LoadPlan): Promise<void> {
  if (plan.ratePerSecond < worthwhileFromRate) return;
  const server = plan.http === '2' ? createHttp2Server((_, response) => response.end('ok')) : plainServer();
  // After a load on new connections every port may be in TIME_WAIT, and none left to listen on: then no rehearsal.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening').catch(() => undefined);
    const address = server.address();
    if (address === null || typeof address === 'string') return;
    const rehearsal: LoadPlan = {
      ...plan,
      host: '127.0.0.1',
      port: address.port,
      lookUp: null,
      tls: null,
      durationMs,
      ratePerSecond: Math.min(plan.ratePerSecond / plan.threads, highestRate),
      deadlineMs: 1_000,
    };
    const load = await prepareLoad(rehearsal, (row) => void JSON.stringify(row));
    await load.run(monotonicUs());
  } finally {
    server.close();
  }
}

function plainServer(): Server {
  return createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
}
