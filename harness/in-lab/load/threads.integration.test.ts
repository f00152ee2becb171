import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { monotonicUs } from '../../base/clock.ts';
import { threadsFor, type LoadPlan } from './plan.ts';
import { anyGet, testPlan } from './testing.ts';
import { expectBalanced, stopServers, witness, type Witness } from './testing-server.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { prepareThreads } from './threads.ts';
import { dueUsOf } from '../../experiment/load-schedule.ts';

const folder = testFolder();
let server: Witness;

beforeAll(async () => {
  server = await witness(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
});
afterAll(stopServers);

function planOf(name: string, threads: number): LoadPlan {
  const ledgerPath = join(folder, `${name}.ndjson`);
  return testPlan(server.port, { runId: name, ratePerSecond: 500, mix: [anyGet], primedNotes: 0, ledgerPath, threads });
}

function ledgerOf(plan: LoadPlan): LedgerRow[] {
  const lines = readFileSync(plan.ledgerPath, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as LedgerRow).sort((a, b) => a.seq - b.seq);
}

describe.concurrent.each([1, 3])('a load on %i threads', (threads) => {
  it('has one ledger with every slot once, due when it should be, and one arrival for each', async () => {
    const plan = planOf(`whole${threads}`, threads);
    const load = await prepareThreads(plan);
    const result = await load.run(monotonicUs() + 20_000);
    const ledger = ledgerOf(plan);
    expect(ledger.map(({ seq, dueUs }) => [seq, dueUs])).toEqual(
      Array.from({ length: 250 }, (_, seq) => [seq, dueUsOf(seq, 500)]),
    );
    expect(new Set(ledger.map(({ outcome }) => outcome))).toEqual(new Set(['ok']));
    expect(result).toMatchObject({ due: 250, sent: 250, ok: 250, aborted: false, unfinished: 0 });
    expectBalanced(ledger, server);
    expect(readdirSync(folder).filter((file) => file.startsWith(`whole${threads}.`))).toHaveLength(1);
  });

  it('ends early without a hole in the ledger when it is told to finish', async () => {
    const plan = { ...planOf(`early${threads}`, threads), durationMs: 20_000 };
    const load = await prepareThreads(plan);
    // Several threads on a busy machine need more notice than finish() gives them.
    setTimeout(() => load.finish(threads === 1 ? undefined : 750), 200);
    const result = await load.run(monotonicUs() + 20_000);
    expect(result.aborted).toBe(false);
    expect(result.due).toBeGreaterThan(0);
    expect(result.due).toBeLessThan(10_000);
    expect(ledgerOf(plan).map(({ seq }) => seq)).toEqual(Array.from({ length: result.due }, (_, seq) => seq));
  });
});

it('takes as many threads as the rate needs, and no more than there are cores', () => {
  expect(threadsFor(1_000, 'mixed', 8)).toBe(1);
  expect(threadsFor(20_000, 'kept', 8)).toBe(1);
  expect(threadsFor(20_001, 'kept', 8)).toBe(2);
  expect(threadsFor(10_000, 'new', 8)).toBe(2);
  expect(threadsFor(60_000, 'new', 2)).toBe(2);
  expect(threadsFor(400, 'new', 8, { isSecure: true })).toBe(1);
  expect(threadsFor(401, 'new', 8, { isSecure: true })).toBe(2);
  expect(threadsFor(6_000, 'kept', 8, { http: '2' })).toBe(1);
  expect(threadsFor(301, 'new', 8, { isSecure: true, http: '2' })).toBe(2);
});
