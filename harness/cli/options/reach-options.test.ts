/** Where `--url` and `--resolve` lead. */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import type { MeasureOptions } from './measure-options.ts';
import { targetOf } from './service-options.ts';

const folder = testFolder();

it.each<
  [MeasureOptions, { address: string; port: number | null; name?: string; url?: string; path?: string; host?: string }]
>([
  [
    { url: 'unix:/run/no.sock' },
    { address: '/run/no.sock', port: null, url: 'unix:/run/no.sock:/', path: '/', host: 'localhost' },
  ],
  [
    { url: 'unix:/run/no.sock:/a?token=b&c=${N}' },
    { address: '/run/no.sock', port: null, url: 'unix:/run/no.sock:/a?token=${TOKEN}&c=${N}', path: '/a?token=b&c=5' },
  ],
  [
    { url: 'unix:/run/${N}.sock', header: ['Host: shop'] },
    { address: '/run/5.sock', port: null, host: 'shop' },
  ],
  [{ url: 'http://[::1]:8080/a' }, { address: '::1', port: 8080, url: 'http://[::1]:8080/a', host: '[::1]:8080' }],
  [
    { url: 'http://a.test/', resolve: ['a.test:80:10.0.0.9'] },
    { address: '10.0.0.9', port: 80, host: 'a.test' },
  ],
  [
    { url: 'http://A.test:81/', resolve: ['a.TEST:81:[::9]', 'b.test:81:10.0.0.1'] },
    { address: '::9', port: 81 },
  ],
  [
    { url: 'https://a.test/', resolve: ['+*:443:::9'] },
    { address: '::9', port: 443 },
  ],
  [
    { url: 'http://a.test/', resolve: ['a.test:80:10.0.0.1', 'a.test:80:10.0.0.2'] },
    { address: '10.0.0.2', port: 80 },
  ],
])('%j', async (options, { address, port, url, path, host }) => {
  const { service, request } = await targetOf(options, { N: '5' });
  expect([service.address, service.port, request.name]).toEqual([address, port, null]);
  if (url !== undefined) expect(service.url).toBe(url);
  if (path !== undefined) expect(request.target).toBe(path);
  if (host !== undefined) expect(request.headers.findLast(([name]) => name === 'Host')?.[1]).toBe(host);
  if (request.tls !== null) expect(request.tls.serverName).toBe('a.test');
});

it.each<[MeasureOptions, sentence: string]>([
  [{ url: 'unix:run/shop.sock' }, '--url names no Unix socket by its whole path'],
  [{ url: 'unix:/run/shop.sock:path' }, '--url names no Unix socket by its whole path'],
  [{ url: `unix:/run/${'a'.repeat(103)}` }, 'has at most 107 bytes'],
  [{ url: 'unix:/run/shop.sock', insecure: true }, '--insecure is about https'],
  [{ url: 'unix:/run/shop.sock', resolve: ['a:80:10.0.0.1'] }, '--resolve is about names'],
  [{ url: 'ftp://a.test/' }, '--url must begin with http://, https:// or unix:/, not ftp://'],
  [{ url: 'http://a.test/', resolve: ['a.test:80:b.test'] }, 'with an IP address, not "a.test:80:b.test"'],
  [{ url: 'http://a.test/', resolve: ['a.test:10.0.0.1'] }, '--resolve must be host:port:address'],
  [
    { url: 'http://a.test/', resolve: ['a.test:81:10.0.0.1'] },
    '--resolve is about other hosts or ports than a.test:80',
  ],
])('%j is refused: %s', async (options, sentence) => {
  await expect(targetOf(options, {})).rejects.toThrow(sentence);
});

const server = createServer();
const socket = join(folder, 'closed.sock');
beforeAll(async () => {
  server.listen(socket);
  await once(server, 'listening');
});
afterAll(() => server.close());

it.runIf(process.getuid?.() === 0)(
  'a socket that this user may not open is a mistake, and no failure of the service',
  async () => {
    chmodSync(folder, 0o755);
    chmodSync(socket, 0o600);
    const module = fileURLToPath(new URL('../../conduct/service/address.ts', import.meta.url));
    const script = `process.setgroups([]); const { socketProblem } = await import(process.argv[1]);
    process.stdout.write(String(await socketProblem(process.argv[2]))); process.setuid(65534);
    process.stdout.write(' ' + String(await socketProblem(process.argv[2])));`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script, module, socket]);
    expect(stdout).toBe('null EACCES');
  },
);

it('of several addresses takes the first at which somebody listens', async () => {
  const one = createServer().listen(0, '127.0.0.3');
  await once(one, 'listening');
  const { port } = one.address() as AddressInfo;
  const resolve = [`a.test:${port}:127.0.0.2,127.0.0.3`];
  const { service } = await targetOf({ url: `http://a.test:${port}/`, resolve }, {});
  one.close();
  expect(service.address).toBe('127.0.0.3');
});
