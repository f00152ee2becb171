/** Socket activation, with a listening socket that another process really holds. */
import { execFileSync, spawn } from 'node:child_process';
import { afterAll, expect, it, vi } from 'vitest';
import { backlogInListing, takeListenFds } from './listen-fds.ts';
import { ask, killLeftovers, mainFile, newDatabase, open, watch } from './testing.ts';

// A busy machine takes seconds to start a process; how long a site takes to leave is measured by its own stamps.
vi.setConfig({ testTimeout: 15_000 });
// Real processes, which mostly wait: side by side.
const test = it.concurrent;
afterAll(killLeftovers);

test.each([
  [{ LISTEN_PID: '7', LISTEN_FDS: '1' }, 3, undefined],
  [{ LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'site@demo.socket' }, 3, undefined],
  [{ LISTEN_PID: '7', LISTEN_FDS: '2' }, 3, undefined],
  [{ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'public:internal' }, 3, 4],
  [{ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'internal:public' }, 4, 3],
  [{ LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'internal' }, undefined, 3],
  [{ LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'public:internal' }, 3, undefined],
  [{ LISTEN_PID: '7', LISTEN_FDS: '0' }, undefined, undefined],
  [{ LISTEN_PID: '7', LISTEN_FDS: 'x' }, undefined, undefined],
  [{ LISTEN_PID: '8', LISTEN_FDS: '2', LISTEN_FDNAMES: 'public:internal' }, undefined, undefined],
  [{ LISTEN_FDS: '1' }, undefined, undefined],
  [{}, undefined, undefined],
])(
  '%j gives process 7 the public descriptor %s and the internal %s, and is gone afterwards',
  (env: NodeJS.ProcessEnv, publicFd, internalFd) => {
    expect(takeListenFds(env, 7)).toEqual({ publicFd, internalFd });
    expect(env).toEqual({});
  },
);

test('the queue of the socket with this very inode is read', () => {
  const listing = [
    'LISTEN 0      7      127.0.0.1:80   0.0.0.0:*  ino:12 sk:1',
    'LISTEN 3      4096   127.0.0.1:81   0.0.0.0:*  uid:1 ino:123 sk:2 <->',
  ].join('\n');
  expect(backlogInListing(listing, '123')).toBe(4096);
  expect(() => backlogInListing(listing, '1')).toThrow('no listening TCP socket with inode 1');
});

/**
 * Plays systemd: listens, accepts nothing (it is stuck in spawnSync, so its loop does not turn), and runs the site
 * twice with the socket as descriptor 3. The shell becomes the site, so LISTEN_PID is the site's.
 */
const holder = `
  const { spawnSync } = require('node:child_process');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: Number(process.argv[1]) }, () => {
    for (const run of [1, 2]) {
      const shell = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"';
      spawnSync('sh', ['-c', shell, process.execPath, ...process.argv.slice(2)], {
        stdio: ['ignore', 'inherit', 'inherit', server._handle.fd],
      });
    }
    process.exit(0);
  });
`;

const queueLength = (port: number) =>
  Number(execFileSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8' }).split(/\s+/u)[2]);

test.each([7, 4096])(
  'a queue of %i stays so over a restart, and what waits in it is answered by the next',
  async (backlog) => {
    const addresses = ['--listen-addr', '127.0.0.1:1', '--internal-listen-addr', '127.0.0.1:0'];
    const args = [mainFile, ...addresses, '--database', newDatabase(), '--warm-up', '200ms'];
    const held = watch(spawn(process.execPath, ['-e', holder, String(backlog), ...args]));
    const port = await held.port('accepting');
    const first = await held.seen('accepting');
    expect(await held.seen('start')).toMatchObject({ socket: 'inherited' });
    expect(first['backlog']).toBe(backlog);
    expect(queueLength(port)).toBe(backlog);
    const kept = await open(port);
    await kept.ask('POST', '/notes', { id: 'a', text: 'x' });

    process.kill(Number(first.instance.split('-')[0]), 'SIGTERM');
    await held.seen('accept-stopped');
    const queued = ask(port, 'GET', '/notes/a');
    const last = await kept.ask('GET', '/notes/a');
    expect(last.headers).toMatchObject({ connection: 'close', 'x-app-instance': first.instance });

    const answer = await queued;
    const second = await held.seen('accepting', 2);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-app-instance': second.instance } });
    expect(second.instance).not.toBe(first.instance);
    expect(queueLength(port)).toBe(backlog);
    process.kill(Number(second.instance.split('-')[0]), 'SIGTERM');
    expect(await held.exited).toBe(0);
  },
);
