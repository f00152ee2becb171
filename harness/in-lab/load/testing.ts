/** What the tests of the load generator share. */
import type { AddressInfo, Server } from 'node:net';
import { monotonicUs } from '../../base/clock.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { prepareLoad } from './generator.ts';
import { answerLimits, type LoadPlan } from './plan.ts';

/** A GET to a server that is not the lab's site, for which any 2xx is ok. */
export const anyGet = {
  method: 'GET',
  path: '/',
  weight: 1,
  fixed: { headers: [], bodyBase64: null, expectedStatus: null },
} as const;

/** The same as a POST with a body. */
export const anyPost = { ...anyGet, method: 'POST', fixed: { ...anyGet.fixed, bodyBase64: btoa('note') } } as const;

/** A plan for a load on this port of 127.0.0.1: 100 requests in half a second. */
export function testPlan(port: number, over: Partial<LoadPlan> = {}): LoadPlan {
  return {
    runId: 'run',
    threads: 1,
    trial: 1,
    seed: 1,
    host: '127.0.0.1',
    port,
    tls: null,
    hostHeaders: ['demo.test'],
    ratePerSecond: 200,
    durationMs: 500,
    mix: [
      { method: 'GET', path: '/notes/:id', weight: 1 },
      { method: 'POST', path: '/notes', weight: 1 },
    ],
    connections: 'mixed',
    // A busy machine may stand still for seconds.
    deadlineMs: 20_000,
    maxConnections: 500,
    ...answerLimits,
    primedNotes: 5,
    ledgerPath: '',
    ...over,
  };
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** How many rows have each outcome. */
export function outcomes(rows: readonly LedgerRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of rows) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The rows of a load, as they are settled. */
export async function rowsOf(plan: LoadPlan): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  const load = await prepareLoad(plan, (row) => rows.push(row));
  await load.run(monotonicUs() + 20_000);
  return rows;
}
