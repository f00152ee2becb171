/** The requests of the mix, as bytes for one connection. */
import { prepareRequest } from '../load/request.ts';
import type { PlanMixEntry } from '../load/plan.ts';
import type { Asked } from './line.ts';
import { isOk, type ContractPlan, type Measured } from './messages.ts';

/** A request that can be sent at once, or in two halves. */
export interface Written extends Asked {
  readonly name: string;
  readonly id: string;
  /** Head, and the first half of the body. */
  readonly first: Buffer;
  /** The rest of the body; empty without one. */
  readonly rest: Buffer;
  readonly expected: number | null;
}

let seq = 0;

/** The next request of this kind. */
export function requestOf(
  plan: Pick<ContractPlan, 'id' | 'hostHeader' | 'firstSeq'>,
  entry: PlanMixEntry,
  connection: 'new' | 'kept' = 'kept',
): Written {
  seq = Math.max(seq + 1, plan.firstSeq ?? 1);
  const planned = { runId: plan.id, trial: 1, hostHeaders: [plan.hostHeader] as const, primedNotes: 1 };
  const prepared = prepareRequest(planned, entry, seq, connection);
  const { bytes, body = Buffer.alloc(0), method } = prepared;
  const half = Math.floor(body.length / 2);
  return {
    name: prepared.name ?? `${method} ${entry.path}`,
    id: prepared.requestId,
    first: Buffer.concat([bytes, body.subarray(0, half)]),
    rest: body.subarray(half),
    whole: Buffer.concat([bytes, body]),
    isHead: method === 'HEAD',
    expected: prepared.expectedStatus,
  };
}

/** A GET of a health path. */
export function healthRequest({ hostHeader }: ContractPlan, path: string): Asked {
  const whole = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${hostHeader}\r\nConnection: close\r\n\r\n`);
  return { whole, isHead: false };
}

let quickest: PlanMixEntry | undefined;

/** Any request, on a connection of its own: a GET, and once the mix was measured the quickest. */
export function quickRequest(plan: ContractPlan, connection: 'new' | 'kept' = 'new'): Written {
  const gets = plan.mix.filter(({ method }) => method === 'GET');
  const entry = quickest ?? gets.find(({ path }) => !path.includes('{id}')) ?? gets[0] ?? plan.mix[0];
  if (entry === undefined) throw new Error('the mix has no request');
  return requestOf(plan, entry, connection);
}

/** Remembers which GET of the mix is answered first. */
export function rememberQuickest({ mix }: ContractPlan, measured: readonly Measured[]): void {
  const known = measured.flatMap(({ results, expected, medianMs }, index) => {
    const entry = mix[index];
    const isAnswered = results.every((result) => isOk(result, expected));
    return entry?.method === 'GET' && isAnswered ? { entry, medianMs } : [];
  });
  quickest = known.sort((one, other) => one.medianMs - other.medianMs)[0]?.entry;
}

/** The entry with a body that can be sent in two halves; undefined where there is none. */
export function halfEntry(plan: ContractPlan): PlanMixEntry | undefined {
  return plan.mix.find((entry) => requestOf(plan, entry).rest.length > 0);
}
