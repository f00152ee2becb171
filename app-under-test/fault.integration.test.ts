/** Planted faults, on real processes: each must do what it is there for, or those who look for it prove nothing. */
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it, vi } from 'vitest';
import { ask, killLeftovers, newDatabase, startSite } from './testing.ts';

vi.setConfig({ testTimeout: 15_000 });
// Real processes, which mostly wait: side by side.
const test = it.concurrent;
afterAll(killLeftovers);

/** A site with this fault, and its database. */
function faulty(fault: string) {
  const database = newDatabase();
  return { database, site: startSite(['--database', database, '--fault', fault]) };
}

function timesStored(path: string, id: string): number {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  const row = database.prepare('SELECT count(*) AS times FROM notes WHERE id = ?').get(id);
  database.close();
  return Number(row?.['times']);
}

test('ack-before-commit acknowledges what a kill then loses', async () => {
  const { database, site } = faulty('ack-before-commit');
  const port = await site.port('accepting');
  expect((await ask(port, 'POST', '/notes', { id: 'lost', text: 'x' })).status).toBe(201);
  site.child.kill('SIGKILL');
  await site.exited;
  expect(timesStored(database, 'lost')).toBe(0);
});

test('apply-twice stores a note twice', async () => {
  const { database, site } = faulty('apply-twice');
  expect((await ask(await site.port('accepting'), 'POST', '/notes', { id: 'twice', text: 'x' })).status).toBe(201);
  expect(timesStored(database, 'twice')).toBe(2);
});

test('wrong-text stores an empty text for the hundredth write, and answers as if it had not', async () => {
  const { database, site } = faulty('wrong-text');
  const port = await site.port('accepting');
  for (let n = 1; n <= 100; n++) {
    expect(await ask(port, 'POST', '/notes', { id: `n${n}`, text: 'x' })).toMatchObject({
      status: 201,
      body: { text: 'x' },
    });
  }
  const rows = new DatabaseSync(database).prepare("SELECT id FROM notes WHERE text = ''").all();
  expect(rows.map(({ id }) => id)).toEqual(['n100']);
});

test('slow-answers takes 450 ms for each answer', async () => {
  const { site } = faulty('slow-answers');
  const port = await site.port('accepting');
  const beginMs = performance.now();
  await ask(port, 'GET', '/notes/none');
  expect(performance.now() - beginMs).toBeGreaterThanOrEqual(449);
});

test('ignore-sigterm goes on answering', async () => {
  const { site } = faulty('ignore-sigterm');
  const port = await site.port('accepting');
  site.child.kill('SIGTERM');
  expect((await ask(port, 'POST', '/notes', { id: 'after', text: 'x' })).status).toBe(201);
});

test('crash-at-start says so, listens nowhere and exits 1', async () => {
  const { site } = faulty('crash-at-start');
  expect(await site.exited).toBe(1);
  await expect(site.seen('failed')).resolves.toMatchObject({ event: 'failed' });
  expect(site.stderr()).not.toContain('listening');
});

test('never-ready goes on warming up: it lives, and accepts nothing', async () => {
  const { site } = faulty('never-ready');
  const internal = await site.port('internal-listening');
  expect((await ask(internal, 'GET', '/livez')).status).toBe(200);
  expect((await ask(internal, 'GET', '/readyz')).status).toBe(503);
  site.child.kill('SIGTERM');
  expect(await site.exited).toBe(0);
  expect(site.events.map(({ event }) => event)).not.toContain('accepting');
});
