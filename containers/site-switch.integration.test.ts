/** The switch between two colours, as it lies on the server: what it asks of systemd, in which order, and when it gives up. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { emptiedFolder } from '../harness/base/testing-folder.ts';

const script = fileURLToPath(new URL('server/usr/local/sbin/site-switch', import.meta.url));
const folder = emptiedFolder();
let status = 200;
let site: Server;

beforeAll(async () => {
  site = createServer((request, response) => {
    response.writeHead(request.url === '/readyz' ? status : 404).end();
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void site.close());

beforeEach(async () => {
  status = 200;
  await mkdir(join(folder, 'bin'));
  // Says what it was asked; `is-enabled` is answered by whether a file of the unit's name is there.
  const systemctl = `#!/bin/bash
case "$*" in *is-enabled*) [[ -e ${folder}/\${!#} ]]; exit ;; esac
echo "$*" >> ${folder}/asked`;
  await writeFile(join(folder, 'bin', 'systemctl'), systemctl);
  await chmod(join(folder, 'bin', 'systemctl'), 0o755);
  const { port } = site.address() as AddressInfo;
  for (const colour of ['demo', 'demo-green']) {
    await writeFile(join(folder, `${colour}.env`), `APP_LISTEN_ADDR=x:1\nAPP_INTERNAL_LISTEN_ADDR=127.0.0.1:${port}\n`);
  }
});

async function run(...args: string[]): Promise<{ code: number; stderr: string; asked: string[] }> {
  const env = { PATH: `${folder}/bin:/usr/bin:/bin`, SITE_SWITCH_FOLDER: folder, SITE_SWITCH_SECONDS: '1' };
  const { code, stderr } = await promisify(execFile)('bash', [script, ...args], { env }).then(
    (done) => ({ code: 0, stderr: done.stderr }),
    (error: unknown) => error as { code: number; stderr: string },
  );
  const asked = await readFile(join(folder, 'asked'), 'utf8').catch(() => '');
  return { code, stderr, asked: asked.split('\n').filter((line) => line !== '') };
}

it('starts the idle colour, waits until it is ready, lets the boot start it from now on, and stops the other', async () => {
  expect(await run('demo')).toEqual({
    code: 0,
    stderr: '',
    asked: [
      'restart site@demo-green',
      '--quiet --no-reload enable site@demo-green',
      '--quiet --no-reload disable site@demo',
      'stop site@demo',
    ],
  });
});

it('goes back to the first colour where the boot starts the second, and takes the two steps apart', async () => {
  await writeFile(join(folder, 'site@demo-green'), '');
  expect((await run('demo', 'start')).asked).toEqual(['restart site@demo']);
  expect((await run('demo', 'finish')).asked.slice(1)).toEqual([
    '--quiet --no-reload enable site@demo',
    '--quiet --no-reload disable site@demo-green',
    'stop site@demo-green',
  ]);
});

it('stops a colour that is not ready in time, and leaves the one that serves alone', async () => {
  status = 503;
  const { code, stderr, asked } = await run('demo');
  expect([code, asked]).toEqual([1, ['restart site@demo-green', 'stop site@demo-green']]);
  expect(stderr).toBe(
    'site-switch: site@demo-green was not ready within 1 s and was stopped; site@demo still serves.\n',
  );
  expect(await run('demo', 'finish')).toMatchObject({ code: 1, asked });
});

it('refuses a step that there is not, and asks for a site', async () => {
  expect(await run('demo', 'begin')).toMatchObject({ code: 2, asked: [] });
  expect(await run()).toMatchObject({ asked: [], stderr: expect.stringContaining('usage:') as string });
});
