/** How the site leaves, under traffic, tried on real processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { killLeftovers, msBetween, open, startSite, type Connection, type RunningSite } from './testing.ts';

// A busy machine takes seconds to start a process; how long a site takes to leave is measured by its own stamps.
vi.setConfig({ testTimeout: 15_000 });
afterAll(killLeftovers);

/** Kept connections that have each had an answer. */
async function keptConnections(site: RunningSite, count: number): Promise<Connection[]> {
  const port = await site.port('accepting');
  const connections = await Promise.all(Array.from({ length: count }, () => open(port)));
  await Promise.all(connections.map((connection) => connection.ask('GET', '/livez')));
  return connections;
}

/**
 * What a Go proxy does: takes the connection that was used last, puts it back after its answer unless that said
 * `Connection: close`, and drops those whose end it has seen. Writes one note every 5 ms, through a SIGTERM, until no
 * connection is left.
 */
async function postThroughSigterm(site: RunningSite, connections: number) {
  const pool = await keptConnections(site, connections);
  const tally = { answered: 0, lost: 0, endedByAnswer: 0, endedIdle: 0 };
  for (const connection of pool) {
    void connection.ended.then(() => {
      const index = pool.indexOf(connection);
      if (index < 0) return;
      pool.splice(index, 1);
      tally.endedIdle += 1;
    });
  }
  const posts: Promise<void>[] = [];
  for (let n = 0; pool.length > 0 || posts.length < n; n += 1) {
    if (n === 30) site.child.kill('SIGTERM');
    const connection = pool.pop();
    if (connection === undefined) break;
    const post = async () => {
      try {
        const { status, headers } = await connection.ask('POST', '/notes', { id: `n${n}`, text: 'x' });
        if (status === 201) tally.answered += 1;
        if (headers['connection'] === 'close') tally.endedByAnswer += 1;
        else pool.push(connection);
      } catch {
        tally.lost += 1;
      }
    };
    posts.push(post());
    await sleep(5);
    if (pool.length === 0) await Promise.all(posts);
  }
  await Promise.all(posts);
  return { ...tally, sent: posts.length };
}

// These two send by the clock: one after the other.
test('polite: under steady writes every kept connection is ended by an answer, and no write is lost', async () => {
  const site = startSite(['--shutdown-timeout', '5s']);
  const tally = await postThroughSigterm(site, 25);
  expect(tally).toMatchObject({ answered: tally.sent, lost: 0, endedByAnswer: 25, endedIdle: 0 });
  expect(await site.exited).toBe(0);
  // It left with the last connection, and waited for nothing else.
  expect(site.events.map(({ event }) => event)).toContain('drained');
  expect(msBetween(await site.seen('accept-stopped'), await site.seen('drained'))).toBeLessThan(2000);
});

test('naive: idle kept connections are ended at once, without an answer', async () => {
  const site = startSite(['--drain', 'naive', '--shutdown-timeout', '5s']);
  const { endedIdle, endedByAnswer, lost } = await postThroughSigterm(site, 25);
  expect(endedIdle + endedByAnswer + lost).toBe(25);
  expect(endedIdle).toBeGreaterThanOrEqual(15);
  expect(await site.exited).toBe(0);
});

// These mostly wait, and so they wait together.
describe.concurrent('a site that is told to go', () => {
  test.each(['polite', 'naive'])(
    '%s: an answer in flight is finished, and is the last of its connection',
    async (drain) => {
      const site = startSite(['--drain', drain, '--shutdown-timeout', '5s']);
      const [connection] = await keptConnections(site, 1);
      const slow = connection?.ask('GET', '/slow?ms=700');
      await sleep(100);
      site.child.kill('SIGTERM');
      expect(await site.seen('accept-stopped')).toMatchObject({ open: 1, inFlight: 1 });
      expect(await slow).toMatchObject({ status: 200, headers: { connection: 'close' } });
      expect(await site.exited).toBe(0);
    },
  );

  test('polite: idle connections are ended after the quiet time, but not one whose request has begun', async () => {
    const site = startSite(['--shutdown-timeout', '8s', '--drain-quiet', '400ms']);
    const [idle, begun] = await keptConnections(site, 2);
    const silent = await open(await site.port('accepting'));
    begun?.socket.write('GET /livez HTTP/1.1\r\nHo');
    site.child.kill('SIGTERM');
    await site.seen('accept-stopped');
    const stoppedMs = performance.now();
    await Promise.all([idle?.ended, silent.ended]);
    const quietMs = performance.now() - stoppedMs;
    expect(quietMs).toBeGreaterThan(300);
    expect(quietMs).toBeLessThan(1500);
    await sleep(600);
    begun?.socket.write('st: site\r\n\r\n');
    expect(await begun?.answer()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect(await site.exited).toBe(0);
  });

  test.each(['polite', 'naive'])('%s: what is not answered at the timeout is cut, and said to be', async (drain) => {
    const site = startSite(['--drain', drain, '--shutdown-timeout', '300ms', '--drain-quiet', '10s']);
    const [connection, idle] = await keptConnections(site, 2);
    const slow = connection?.ask('GET', '/slow?ms=20000');
    const cut = expect(slow).rejects.toThrow('the connection ended');
    await sleep(100);
    site.child.kill('SIGTERM');
    await cut;
    await idle?.ended;
    expect(await site.exited).toBe(0);
    expect(await site.seen('drain-timeout')).toMatchObject({ waitingFor: 'connections', inFlight: 1 });
    expect(site.events.map(({ event }) => event)).not.toContain('drained');
    expect(msBetween(await site.seen('sigterm'), await site.seen('exit'))).toBeLessThan(50 + 300 + 250);
    expect(site.requests.at(-1)).toMatchObject({ path: '/slow?ms=20000', status: null, outcome: 'cut' });
  });
});
