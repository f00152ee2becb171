/** Planted faults, on real processes: each must do what it is there for, or those who look for it prove nothing. */
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import { ask, killLeftovers, newDatabase, startSite } from './testing.ts';

vi.setConfig({ testTimeout: 15_000 });
afterEach(killLeftovers);

function timesStored(path: string, id: string): number {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  const row = database.prepare('SELECT count(*) AS times FROM notes WHERE id = ?').get(id);
  database.close();
  return Number(row?.['times']);
}

test('ack-before-commit acknowledges what a kill then loses', async () => {
  const database = newDatabase();
  const site = startSite(['--database', database, '--fault', 'ack-before-commit']);
  const port = await site.port('accepting');
  expect((await ask(port, 'POST', '/notes', { id: 'lost', text: 'x' })).status).toBe(201);
  site.child.kill('SIGKILL');
  await site.exited;
  expect(timesStored(database, 'lost')).toBe(0);
});

test('apply-twice stores a note twice', async () => {
  const database = newDatabase();
  const site = startSite(['--database', database, '--fault', 'apply-twice']);
  expect((await ask(await site.port('accepting'), 'POST', '/notes', { id: 'twice', text: 'x' })).status).toBe(201);
  expect(timesStored(database, 'twice')).toBe(2);
});

test('crash-at-start says so, listens nowhere and exits 1', async () => {
  const site = startSite(['--database', newDatabase(), '--fault', 'crash-at-start']);
  expect(await site.exited).toBe(1);
  await expect(site.seen('failed')).resolves.toMatchObject({ event: 'failed' });
  expect(site.stderr()).not.toContain('listening');
});
