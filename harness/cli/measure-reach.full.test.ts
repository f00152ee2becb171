/**
 * `measure` and deploys that are reached in other ways: behind a Unix socket, and behind a name that leads elsewhere, in a mount
 * namespace of its own, whose /etc/hosts can be written.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import type { ServiceRun } from '../run/run-record.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { measuring } from './testing-measure.ts';

const { at, folder, measured, serveReplaceable } = measuring();

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));

async function serverAt(address: string, port: number, answer: () => void): Promise<Server> {
  const server = createServer((_, response) => {
    answer();
    response.end('ok');
  }).listen(port, address);
  await once(server, 'listening');
  return server;
}

it.runIf(process.getuid?.() === 0)(
  'requests follow a name that a deploy leads elsewhere, and the report counts them',
  async () => {
    let [first, second] = [0, 0];
    const old = await serverAt('127.0.0.2', 0, () => first++);
    const { port } = old.address() as AddressInfo;
    const next = await serverAt('127.0.0.3', port, () => second++);
    const hosts = at('hosts');
    writeFileSync(hosts, '127.0.0.2 shop.test\n');
    const deploy = 'echo 127.0.0.3 shop.test > /etc/hosts; sleep 2';
    const words = ['measure', '--url', `http://shop.test:${port}/`, '--while', deploy, '--json', '--out', folder];
    const { stdout } = await execa(
      'unshare',
      ['-m', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, process.execPath, cliPath, ...words],
      { reject: false },
    );
    old.close();
    next.close();
    const { notes, due, dropped } = verdictSchema.parse(JSON.parse(stdout));
    expect([first + second, dropped]).toEqual([due, 0]);
    expect(second).toBeGreaterThan(0);
    const counts = `${first} requests went to 127.0.0.2, its first address, ${second} to 127.0.0.3; the first of them`;
    expect(notes).toEqual([expect.stringContaining(`shop.test led elsewhere while the load went on: ${counts}`)]);
  },
);

it('a deploy behind a Unix socket is seen: another process listens, and what came between was refused', async () => {
  const { deploy } = await serveReplaceable(
    `import { createServer } from 'node:http';
     import { rmSync, writeFileSync } from 'node:fs';
     const [, , , pidFile, socket] = process.argv;
     rmSync(socket, { force: true });
     createServer((_, response) => response.end('ok')).listen(socket, () => writeFileSync(pidFile, String(process.pid)));`,
    at('shop.sock'),
  );
  // The old one is killed: its socket stays, and nobody listens on it.
  const killed = deploy.replace('kill $old', 'kill -9 $old');
  const { verdict, textOf } = await measured({ url: `unix:${at('shop.sock')}:/a`, while: killed, mustChange: true });
  expect(verdict.verdict).toBe('fail');
  expect(verdict.failureKinds['port closed']).toBeGreaterThan(20);
  const { listeners } = JSON.parse(textOf('run.json')) as ServiceRun;
  expect(listeners?.before).toMatch(/^\d+\/\d+$/u);
  expect(listeners?.after).toMatch(/^\d+\/\d+$/u);
  expect(listeners?.after).not.toBe(listeners?.before);
});
