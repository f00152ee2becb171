/** What became of each request of a mix, from the queries. */
import type { ServiceRequest } from '../../experiment/service.ts';
import { tallyOf, type Ask, type Cell } from '../ledger-summary.ts';
import type { RequestVerdict } from '../record/verdict.ts';

interface Waits {
  readonly request: string;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly longestUs: number;
}

/** Counts them, in their own order. */
export async function countRequests(ask: Ask, requests: readonly ServiceRequest[]): Promise<RequestVerdict[]> {
  const outcomes = await ask<Cell & { request: string }>('request-outcomes');
  const waits = await ask<Waits>('request-waits');
  const missed = await ask<{ request: string; expectation: string; missed: number }>('request-missed');
  return requests.map(({ name, method, path }) => {
    const own = waits.find(({ request }) => request === name);
    return {
      request: name,
      method,
      path,
      ...tallyOf(outcomes.filter(({ request }) => request === name)),
      missed: Object.fromEntries(
        missed.filter(({ request }) => request === name).map((row) => [row.expectation, row.missed]),
      ),
      waitP50Ms: own === undefined ? null : own.p50Us / 1000,
      waitP99Ms: own === undefined ? null : own.p99Us / 1000,
      longestWaitMs: own === undefined ? null : own.longestUs / 1000,
    };
  });
}
