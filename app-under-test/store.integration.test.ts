/** What happens while another process holds the database's lock, tried on real processes. */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it, vi } from 'vitest';
import { ask, killLeftovers, msBetween, newDatabase, open, startSite } from './testing.ts';

// A busy machine takes seconds to start a process; how long a site takes to leave is measured by its own stamps.
vi.setConfig({ testTimeout: 15_000 });
// Real processes, which mostly wait: side by side.
const test = it.concurrent;
afterAll(killLeftovers);

/** Takes the write lock of a database from outside the site; returns what gives it back. */
function holdLock(path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('COMMIT');
    database.close();
  };
}

test('a write waits for the lock; reads and /livez do not; SIGTERM does not wait for it either', async () => {
  const database = newDatabase();
  const site = startSite(['--database', database, '--shutdown-timeout', '300ms']);
  const [port, internal] = [await site.port('accepting'), await site.port('internal-listening')];
  await ask(port, 'POST', '/notes', { id: 'old', text: 'x' });
  const release = holdLock(database);

  const write = (await open(port)).ask('POST', '/notes', { id: 'new', text: 'x' });
  const cut = expect(write).rejects.toThrow('the connection ended');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const beganMs = performance.now();
  expect((await ask(internal, 'GET', '/livez')).status).toBe(200);
  expect((await ask(port, 'GET', '/livez')).status).toBe(200);
  expect((await ask(port, 'GET', '/notes/old')).status).toBe(200);
  expect(performance.now() - beganMs).toBeLessThan(600);

  site.child.kill('SIGTERM');
  await cut;
  expect(await site.exited).toBe(0);
  const goneUs = Number(process.hrtime.bigint() / 1000n);
  const exit = await site.seen('exit');
  expect(exit).toMatchObject({ code: 0, storeClosed: false });
  expect(msBetween(await site.seen('sigterm'), exit)).toBeLessThan(50 + 300 + 250);
  // The thread that waited for the lock (busy timeout: 20 s) did not hold up the end of the process.
  expect(goneUs - exit.atMonotonicUs).toBeLessThan(1_000_000);
  release();
  const rows = new DatabaseSync(database).prepare('SELECT id FROM notes').all();
  expect(rows.map((row) => row['id'])).toEqual(['old']);
});

test('a write that never gets the lock is 503 SQLITE_BUSY; one that gets it is 201, drain or not', async () => {
  const database = newDatabase();
  const site = startSite(['--database', database, '--busy-timeout', '500ms', '--shutdown-timeout', '5s']);
  const connection = await open(await site.port('accepting'));
  const release = holdLock(database);
  const busy = await connection.ask('POST', '/notes', { id: 'a', text: 'x' });
  expect(busy).toMatchObject({ status: 503, body: { error: 'SQLITE_BUSY' } });

  const write = connection.ask('POST', '/notes', { id: 'b', text: 'x' });
  site.child.kill('SIGTERM');
  await site.seen('accept-stopped');
  release();
  expect(await write).toMatchObject({ status: 201, headers: { connection: 'close' } });
  expect(await site.exited).toBe(0);
  expect(await site.seen('exit')).toMatchObject({ storeClosed: true });
});

test('the site starts while another one holds the lock of a database that exists', async () => {
  const database = newDatabase();
  const first = startSite(['--database', database]);
  await first.seen('ready');
  const release = holdLock(database);
  const second = startSite(['--database', database]);
  await second.seen('ready');
  expect(msBetween(await second.seen('start'), await second.seen('ready'))).toBeLessThan(3000);
  release();
});

test('an immediate write waits for the lock, a deferred one that has read before is refused at once', async () => {
  const database = newDatabase();
  const patient = startSite(['--database', database, '--busy-timeout', '5s']);
  // One after the other: two that make the same new database at once may meet, and SQLite then waits for neither.
  const patientPort = await patient.port('accepting');
  const hasty = startSite(['--database', database, '--busy-timeout', '5s', '--transaction', 'deferred']);
  const hastyPort = await hasty.port('accepting');
  const release = holdLock(database);
  const waiting = ask(patientPort, 'POST', '/notes', { id: 'waits', text: 'x' });
  expect((await ask(hastyPort, 'POST', '/notes', { id: 'refused', text: 'x' })).status).toBe(503);
  await new Promise((resolve) => setTimeout(resolve, 300));
  release();
  expect((await waiting).status).toBe(201);

  const storeOf = async (site: typeof patient) =>
    (await site.logged(({ method }) => method === 'POST'))['store'] as { code: string; waitMs: number };
  const waited = await storeOf(patient);
  expect(waited.code).toBe('OK');
  expect(waited.waitMs).toBeGreaterThan(250);
  const refused = await storeOf(hasty);
  expect(refused.code).toBe('SQLITE_BUSY');
  expect(refused.waitMs).toBeLessThan(250);
  expect((await ask(patientPort, 'GET', '/notes/refused')).status).toBe(404);
});
