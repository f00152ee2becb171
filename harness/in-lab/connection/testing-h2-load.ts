/** A load on a server of HTTP/2 that fails in a known way, and what must hold of its rows. */
import { expect } from 'vitest';
import { monotonicUs } from '../../base/clock.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { prepareLoad } from '../load/generator.ts';
import type { LoadPlan } from '../load/plan.ts';
import { anyGet, testPlan } from '../load/testing.ts';
import type { StreamCase } from './testing-h2-cases.ts';
import { streamServer, type StreamServer, type StreamWitness } from './testing-h2.ts';
import { makeCertificates, tlsPlan, type Certificates } from './testing-tls.ts';

/** What came of a load. */
export interface StreamLoad {
  readonly rows: readonly LedgerRow[];
  readonly witness: StreamWitness;
  /** What each request that arrived must have come to. */
  readonly told: ReadonlyMap<string, string>;
}

const post = { ...anyGet, method: 'POST', fixed: { ...anyGet.fixed, bodyBase64: btoa('note') } } as const;
const servers: StreamWitness[] = [];
let made: Certificates | undefined;

/** Certificates, made once. */
export function certificates(): Certificates {
  return (made ??= makeCertificates());
}

/** Stops the servers of a file's tests. */
export function stopServers(): void {
  for (const server of servers.splice(0)) server.close();
}

/** Starts a server; over TLS it is shop.test. */
export async function serve(server: StreamServer, kind: 'plain' | 'tls'): Promise<StreamWitness> {
  const tls = kind === 'tls' ? { tls: { ...certificates().valid, ...server.tls } } : {};
  const witness = await streamServer({ ...server, ...tls });
  servers.push(witness);
  return witness;
}

/** A hundred requests, half of them POST, in a quarter of a second. */
export async function rowsOf(port: number, kind: 'plain' | 'tls', over: Partial<LoadPlan> = {}): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  const plan = testPlan(port, {
    http: '2',
    mix: [anyGet, post],
    tls: kind === 'tls' ? tlsPlan(certificates()) : null,
    connections: 'kept',
    ratePerSecond: 400,
    durationMs: 250,
    ...over,
  });
  const prepared = await prepareLoad(plan, (row) => rows.push(row));
  await prepared.run(monotonicUs() + 20_000);
  return rows;
}

/** The case's server under a load. */
export async function loadOf(
  given: StreamCase,
  kind: 'plain' | 'tls',
  over: Partial<LoadPlan> = {},
): Promise<StreamLoad> {
  const told = new Map<string, string>();
  const { deadlineMs, maxHeadBytes, maxAnswerBytes } = given;
  const witness = await serve(given.server(told), kind);
  const rows = await rowsOf(witness.port, kind, {
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(maxHeadBytes !== undefined && { maxHeadBytes }),
    ...(maxAnswerBytes !== undefined && { maxAnswerBytes }),
    ...over,
  });
  return { rows, witness, told };
}

/** Each request is settled once, none arrived twice, and each came to what its server did to it. */
export function expectTold({ rows, witness, told }: StreamLoad, { errors }: Pick<StreamCase, 'errors'>): void {
  expect(rows.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from(rows, (_, seq) => seq));
  expect([...witness.arrivals.values()].filter((times) => times !== 1)).toEqual([]);
  const wrong = rows.filter(({ requestId, outcome }) => (told.get(requestId) ?? outcome) !== outcome);
  expect(wrong).toEqual([]);
  for (const { requestId, outcome, error, streamId, protocol } of rows) {
    if (outcome === 'ok') expect(told.get(requestId)).toBe('ok');
    else if (error !== null) expect(errors).toContain(error);
    expect(protocol).toBe('h2');
    if (told.has(requestId)) expect(streamId).toBeGreaterThan(0);
  }
}
