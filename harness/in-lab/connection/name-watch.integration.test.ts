/** A name that leads elsewhere while a load goes on. */
import { createServer, type Server } from 'node:http';
import { expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { anyGet, listen, outcomes, rowsOf, testPlan } from '../load/testing.ts';

/** Answers with its own address; listens at both, on one port. */
async function twoServers(): Promise<{ servers: Server[]; port: number; asked: Record<string, number> }> {
  const asked: Record<string, number> = { '127.0.0.1': 0, '127.0.0.9': 0 };
  const serverOf = (address: string): Server =>
    createServer((_, response) => {
      asked[address] = (asked[address] ?? 0) + 1;
      response.end(address);
    });
  const first = serverOf('127.0.0.1');
  const port = await listen(first);
  const second = serverOf('127.0.0.9');
  await new Promise<void>((resolve) => second.listen(port, '127.0.0.9', resolve));
  return { servers: [first, second], port, asked };
}

async function load(name: string): Promise<{ rows: LedgerRow[]; asked: Record<string, number> }> {
  const { servers, port, asked } = await twoServers();
  const lookUp = { name, everyMs: 50 };
  // The name has led to 127.0.0.9 so far.
  const plan = testPlan(port, { host: '127.0.0.9', lookUp, mix: [anyGet], ratePerSecond: 200, durationMs: 500 });
  const rows = await rowsOf(plan);
  for (const server of servers) server.close();
  return { rows, asked };
}

it('is followed by new connections, while those that are kept go on as they are', async () => {
  const { rows, asked } = await load('localhost');
  expect(outcomes(rows)).toEqual({ ok: 100 });
  const moved = rows.filter(({ address }) => address !== undefined);
  expect(new Set(moved.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
  // Each row says where it went.
  expect(asked).toEqual({ '127.0.0.1': moved.length, '127.0.0.9': 100 - moved.length });
  expect(moved.length).toBeGreaterThan(0);
  expect(
    rows.filter(({ address, connection }) => address === undefined && connection === 'kept').length,
  ).toBeGreaterThan(0);
});

it('is asked where it led before, when it cannot be looked up', async () => {
  const { rows, asked } = await load('no-such-host.invalid');
  expect(rows.filter(({ address }) => address !== undefined)).toEqual([]);
  expect(asked).toEqual({ '127.0.0.1': 0, '127.0.0.9': 100 });
});
