/** What the site promises to those who call it, tried on real processes. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it, vi } from 'vitest';
import { ask, freePort, killLeftovers, msBetween, newDatabase, open, startSite } from './testing.ts';

// A busy machine takes seconds to start a process; how long a site takes to leave is measured by its own stamps.
vi.setConfig({ testTimeout: 15_000 });
// Real processes, which mostly wait: side by side.
const test = it.concurrent;
afterAll(killLeftovers);

const health = async (port: number) => {
  const paths = ['/livez', '/readyz', '/healthz'];
  return (await Promise.all(paths.map((path) => ask(port, 'GET', path)))).map(({ status }) => status);
};

test('health: alive at once, ready only between warm-up and SIGTERM; public traffic only once warm', async () => {
  const publicPort = await freePort();
  const site = startSite(
    ['--warm-up', '800ms', '--shutdown-grace-period', '1s', '--listen-addr', `127.0.0.1:${publicPort}`],
    { APP_VERSION: 'v7' },
  );
  const internal = await site.port('internal-listening');
  expect(await health(internal)).toEqual([200, 503, 503]);
  await expect(open(publicPort)).rejects.toThrow('ECONNREFUSED');

  const ready = await site.seen('ready');
  expect(await health(internal)).toEqual([200, 200, 200]);
  expect(msBetween(await site.seen('start'), ready)).toBeGreaterThanOrEqual(799);
  expect((await site.seen('start'))['pragmas']).toEqual({
    journal_mode: 'wal',
    synchronous: 1,
    busy_timeout: 20_000,
    foreign_keys: 1,
  });

  site.child.kill('SIGTERM');
  const sigterm = await site.seen('not-ready');
  site.child.kill('SIGTERM');
  site.child.kill('SIGINT');
  expect(await health(internal)).toEqual([200, 503, 503]);
  const inGrace = await ask(publicPort, 'GET', '/livez');
  expect(inGrace).toMatchObject({ status: 200, headers: { connection: 'keep-alive', 'x-app-version': 'v7' } });
  expect(inGrace.headers['x-app-instance']).toBe(sigterm.instance);

  expect(await site.exited).toBe(0);
  expect(msBetween(sigterm, await site.seen('accept-stopped'))).toBeGreaterThanOrEqual(999);
  expect(site.events.filter(({ event }) => event === 'sigterm')).toHaveLength(1);
  expect(site.events.at(-1)).toMatchObject({ event: 'exit', code: 0, version: 'v7' });
});

test('notes, the slow page, and every way to ask wrongly', async () => {
  const database = newDatabase();
  const site = startSite(['--database', database]);
  const port = await site.port('accepting');
  const internal = await site.port('internal-listening');
  const note = { id: 'a/ü 1', text: 'first' };
  expect(await ask(port, 'POST', '/notes', note)).toMatchObject({ status: 201, body: note });
  expect(await ask(port, 'POST', '/notes', { ...note, text: 'second' })).toMatchObject({ status: 201 });
  expect(await ask(port, 'GET', `/notes/${encodeURIComponent(note.id)}`)).toMatchObject({ status: 200, body: note });
  expect(await ask(port, 'GET', '/slow?ms=20')).toMatchObject({ status: 200, body: { sleptMs: 20 } });

  const big = JSON.stringify({ id: 'big', text: 'x'.repeat(2_000_000) });
  for (const [to, method, path, body, status] of [
    [port, 'GET', '/notes/none', undefined, 404],
    [port, 'GET', '/', undefined, 404],
    [port, 'GET', '//', undefined, 404],
    [port, 'GET', '/notes/%ff', undefined, 400],
    [port, 'POST', '/notes', 'nonsense', 400],
    [port, 'POST', '/notes', big, 413],
    [port, 'DELETE', '/notes/a', undefined, 405],
    [port, 'GET', '/notes', undefined, 405],
    [port, 'POST', '/slow?ms=1', 'body', 405],
    [port, 'GET', '/slow', undefined, 400],
    [port, 'GET', '/slow?ms=60001', undefined, 400],
    [port, 'GET', '/slow?ms=-1', undefined, 400],
    [internal, 'GET', '//', undefined, 404],
    [internal, 'POST', '/readyz', 'body', 405],
    [port, 'NONSENSE', '/', undefined, 400],
  ] as const) {
    const answer = await ask(to, method, path, body);
    expect(answer, `${method} ${path}`).toMatchObject({ status, headers: { 'x-app-version': 'dev' } });
    expect(answer.headers['x-app-instance']).toBe((await site.seen('start')).instance);
  }

  // Applied twice, and to be seen as such by whoever reads the database.
  const rows = new DatabaseSync(database).prepare('SELECT id, text, version FROM notes ORDER BY seq').all();
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { ...note, version: 'dev' },
    { ...note, text: 'second', version: 'dev' },
  ]);
});

test('the log has a line for each answer, and one for the request whose client left', async () => {
  const site = startSite([]);
  const connection = await open(await site.port('accepting'));
  connection.socket.write('GET /notes/a?b HTTP/1.1\r\nHost: site\r\nX-Request-Id: r1\r\n\r\n');
  await connection.answer();
  const line = await site.logged(({ request }) => request === 'r1');
  expect(line).toMatchObject({ method: 'GET', path: '/notes/a?b', status: 404, version: 'dev' });
  expect(line).not.toHaveProperty('outcome');
  expect(Number(line['answeredUs'])).toBeGreaterThanOrEqual(Number(line['receivedUs']));

  connection.socket.write('GET /slow?ms=5000 HTTP/1.1\r\nHost: site\r\nX-Request-Id: r2\r\n\r\n');
  setTimeout(() => connection.socket.destroy(), 50);
  expect(await site.logged(({ request }) => request === 'r2')).toMatchObject({ status: null, outcome: 'cut' });
});

test('the warm-up rehearses, and leaves no trace of it', async () => {
  const database = newDatabase();
  const site = startSite(['--warm-up', '3s', '--database', database]);
  expect(Number((await site.seen('ready'))['rehearsed'])).toBeGreaterThan(0);
  await ask(await site.port('accepting'), 'GET', '/livez?first');
  expect(await site.logged(() => true)).toMatchObject({ path: '/livez?first' });
  expect(new DatabaseSync(database).prepare('SELECT * FROM notes').all()).toEqual([]);
});

test('SIGTERM during the warm-up: leaves soon, and never accepts', async () => {
  const site = startSite(['--warm-up', '30s', '--shutdown-grace-period', '5s']);
  await site.seen('internal-listening');
  site.child.kill('SIGTERM');
  expect(await site.exited).toBe(0);
  expect(site.events.map(({ event }) => event)).not.toContain('accepting');
  expect(msBetween(await site.seen('sigterm'), await site.seen('exit'))).toBeLessThan(500);
});

test('without a drain the process dies of the signal', async () => {
  const site = startSite(['--drain', 'none']);
  await site.seen('ready');
  site.child.kill('SIGTERM');
  expect(await site.exited).toBe('SIGTERM');
});

test('a port that is taken, a database that cannot be: one clear sentence, exit 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  // LISTEN_PID names another process, as a wrapper would make it: the site binds its own port.
  const wrong = { LISTEN_PID: String(process.pid), LISTEN_FDS: '1' };
  const sites = [
    startSite(['--listen-addr', `127.0.0.1:${port}`], wrong),
    startSite(['--internal-listen-addr', `127.0.0.1:${port}`]),
    startSite(['--database', '/no/such/folder/site.db']),
  ];
  const busy = `cannot listen on 127.0.0.1:${port}: another process listens there (EADDRINUSE)`;
  for (const [index, message] of [busy, busy, 'unable to open database file'].entries()) {
    const site = sites[index];
    expect(await site?.exited).toBe(1);
    expect((await site?.seen('failed'))?.['message']).toContain(message);
    expect(site?.events.at(-1)).toMatchObject({ event: 'exit', code: 1 });
  }
  taken.close();
});

test('a mistake on the command line: one sentence, exit 2', async () => {
  const site = startSite(['--warmup', '1s']);
  expect(await site.exited).toBe(2);
  expect(site.stderr()).toBe('--warmup is not a flag of this program; see --help.\n');
});
