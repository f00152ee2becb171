/** The load generator on a Unix socket. */
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { LoadPlan } from '../load/plan.ts';
import { hold } from '../hold/testing-holds.ts';
import { anyGet, rowsOf, testPlan } from '../load/testing.ts';

const folder = testFolder();

async function load(path: string, over: Partial<LoadPlan> = {}): Promise<LedgerRow[]> {
  return await rowsOf(testPlan(0, { host: path, port: null, mix: [anyGet], durationMs: 100, ...over }));
}

const ends = (rows: readonly LedgerRow[]) => rows.map(({ outcome, error }) => [outcome, error]);

it('asks over it as over a port, on kept and new connections', async () => {
  const path = join(folder, 'shop.sock');
  const hosts = new Set<string | undefined>();
  const server = createServer((request, response) => {
    hosts.add(request.headers.host);
    response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const rows = await load(path);
  server.close();
  expect(ends(rows)).toEqual(Array(20).fill(['ok', null]));
  expect(hosts).toEqual(new Set(['demo.test']));
  const kept = rows.filter(({ connection }) => connection === 'kept');
  expect(kept.some(({ connectedUs }) => connectedUs === null)).toBe(true);
});

it('is refused where nobody listens: no socket, one that was left behind, no folder', async () => {
  const file = join(folder, 'left');
  writeFileSync(file, '');
  expect(ends(await load(join(folder, 'none.sock')))).toEqual(Array(20).fill(['refused', 'socket ENOENT, connect']));
  expect(ends(await load(file))).toEqual(Array(20).fill(['refused', 'ECONNREFUSED, connect']));
  expect(ends(await load(`${file}/a`))).toEqual(Array(20).fill(['refused', 'socket ENOTDIR, connect']));
  rmSync(file);
});

it('is refused at once where the queue is full, and served by nobody where it is not', async () => {
  const path = join(folder, 'full.sock');
  // It listens, and its loop never accepts.
  const script = `require('node:net').createServer().listen({ path: process.argv[1], backlog: 2 }, () => {
    process.stdout.write('ready', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)); });`;
  const child = execa(process.execPath, ['-e', script, path], { reject: false, forceKillAfterDelay: 100 });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const rows = await load(path, { deadlineMs: 300, connections: 'new' });
  child.kill('SIGKILL');
  await child;
  // Linux queues one more than the backlog.
  expect(ends(rows).filter(([outcome]) => outcome === 'timeout')).toEqual(Array(3).fill(['timeout', 'deadline, wait']));
  expect(ends(rows).filter(([outcome]) => outcome !== 'timeout')).toEqual(
    Array(17).fill(['refused', 'socket EAGAIN, connect']),
  );
});

it('is held, too, and a holder tells as a request does what became of it', async () => {
  const path = join(folder, 'held.sock');
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: 1\n\n', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const held = hold(path, 'sse');
  await held.ended(1);
  await new Promise((resolve) => server.close(resolve));
  const [first, second] = await held.ended(2);
  held.holders.end();
  expect(first?.openedUs).not.toBeNull();
  expect([second?.ending, second?.error]).toEqual(['refused', 'socket ENOENT, connect']);
});
