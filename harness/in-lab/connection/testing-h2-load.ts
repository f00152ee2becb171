/** A load on a server of HTTP/2 that fails in a known way, and what must hold of its rows. */
import { expect } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { LoadPlan } from '../load/plan.ts';
import { anyGet, anyPost, rowsOf, testPlan } from '../load/testing.ts';
import { expectBalanced } from '../load/testing-server.ts';
import type { StreamCase } from './testing-h2-cases.ts';
import { streamServer, type StreamServer, type StreamWitness } from './testing-h2.ts';
import { certificates, tlsPlan } from './testing-tls.ts';

/** What came of a load. */
export interface StreamLoad {
  readonly rows: readonly LedgerRow[];
  readonly witness: StreamWitness;
  /** What each request that arrived must have come to. */
  readonly told: ReadonlyMap<string, string>;
}

/** Starts a server; over TLS it is shop.test. */
export async function serve(server: StreamServer, kind: 'plain' | 'tls'): Promise<StreamWitness> {
  const tls = kind === 'tls' ? { tls: { ...certificates().valid, ...server.tls } } : {};
  return await streamServer({ ...server, ...tls });
}

/** A hundred requests, half of them POST, in a quarter of a second. */
export async function streamRowsOf(
  port: number,
  kind: 'plain' | 'tls',
  over: Partial<LoadPlan> = {},
): Promise<LedgerRow[]> {
  const tls = kind === 'tls' ? tlsPlan() : null;
  const load = { http: '2', mix: [anyGet, anyPost], connections: 'kept', ratePerSecond: 400, durationMs: 250 } as const;
  return await rowsOf(testPlan(port, { ...load, tls, ...over }));
}

/** The case's server under a load. */
export async function loadOf(
  given: StreamCase,
  kind: 'plain' | 'tls',
  over: Partial<LoadPlan> = {},
): Promise<StreamLoad> {
  const told = new Map<string, string>();
  const witness = await serve(given.server(told), kind);
  const rows = await streamRowsOf(witness.port, kind, { ...given.limits, ...over });
  return { rows, witness, told };
}

/** Each request is settled once, none arrived twice, and each came to what its server did to it. */
export function expectTold({ rows, witness, told }: StreamLoad, { errors }: Pick<StreamCase, 'errors'>): void {
  expectBalanced(rows, witness);
  const wrong = rows.filter(({ requestId, outcome }) => (told.get(requestId) ?? outcome) !== outcome);
  expect(wrong).toEqual([]);
  for (const { requestId, outcome, error, streamId, protocol } of rows) {
    if (outcome === 'ok') expect(told.get(requestId)).toBe('ok');
    else if (error !== null) expect(errors).toContain(error);
    expect(protocol).toBe('h2');
    if (told.has(requestId)) expect(streamId).toBeGreaterThan(0);
  }
}
