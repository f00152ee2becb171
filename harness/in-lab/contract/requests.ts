/** The requests of the mix, as bytes for one connection. */
import { prepareRequest } from '../load/request.ts';
import type { PlanMixEntry } from '../load/plan.ts';
import { requestIdPrefix } from '../../run/site-requests.ts';
import type { ContractPlan, Result, Told } from './messages.ts';

/** A request that can be sent at once, or in two halves. */
export interface Written {
  readonly name: string;
  readonly id: string;
  /** Head, and the first half of the body. */
  readonly first: Buffer;
  /** The rest of the body; empty without one. */
  readonly rest: Buffer;
  readonly whole: Buffer;
  readonly isHead: boolean;
  readonly expected: number | null;
}

let seq = 0;

/** The next request of this kind. */
export function requestOf(plan: ContractPlan, entry: PlanMixEntry, connection: 'new' | 'kept' = 'kept'): Written {
  seq += 1;
  const planned = { runId: plan.id, trial: 1, hostHeaders: [plan.hostHeader] as const, primedNotes: 1 };
  const {
    bytes,
    body = Buffer.alloc(0),
    method,
    expectedStatus,
    name,
  } = prepareRequest(planned, entry, seq, connection);
  const half = Math.floor(body.length / 2);
  return {
    name: name ?? `${method} ${entry.path}`,
    id: `${requestIdPrefix(plan.id, 1)}${seq}`,
    first: Buffer.concat([bytes, body.subarray(0, half)]),
    rest: body.subarray(half),
    whole: Buffer.concat([bytes, body]),
    isHead: method === 'HEAD',
    expected: expectedStatus,
  };
}

/** Is it the answer that is expected, as far as its status tells? */
export function isOk(result: Result, expected: number | null): boolean {
  if (typeof result !== 'number') return false;
  return expected === null ? result >= 200 && result < 300 : result === expected;
}

/** Does somebody serve? What is expected wrongly is answered, too; a 5xx may be the warm-up. */
export function isServed(result: Result, expected: number | null): boolean {
  return isOk(result, expected) || (typeof result === 'number' && result < 500);
}

/** A GET of a health path. */
export function healthRequest({ hostHeader }: ContractPlan, path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${hostHeader}\r\nConnection: close\r\n\r\n`);
}

let quickest: PlanMixEntry | null = null;

/** The entry that is asked where any request will do: a GET, and once the mix was measured the quickest. */
export function quickEntry({ mix }: ContractPlan): PlanMixEntry {
  const gets = mix.filter(({ method }) => method === 'GET');
  const entry = quickest ?? gets.find(({ path }) => !path.includes('{id}')) ?? gets[0] ?? mix[0];
  if (entry === undefined) throw new Error('the mix has no request');
  return entry;
}

/** Remembers how long each entry of the mix takes. */
export function rememberQuickest({ mix }: ContractPlan, times: readonly { isOk: boolean; ms: number }[]): void {
  const known = mix.flatMap((entry, index) => {
    const time = times[index];
    return entry.method === 'GET' && time?.isOk === true ? [{ entry, ms: time.ms }] : [];
  });
  quickest = known.sort((one, other) => one.ms - other.ms)[0]?.entry ?? null;
}

/** The entry with a body that can be sent in two halves; undefined where there is none. */
export function halfEntry(plan: ContractPlan): PlanMixEntry | undefined {
  return plan.mix.find((entry) => requestOf(plan, entry).rest.length > 0);
}

/** How long an exchange took, ms. */
export function tookMs({ sentUs, doneUs }: Pick<Told, 'sentUs' | 'doneUs'>): number {
  return (doneUs - sentUs) / 1000;
}
