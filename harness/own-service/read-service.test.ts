/** A service.yaml: each mistake is one sentence with file, line and column, and no secret is written down. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { HarnessError } from '../base/errors.ts';
import { filledIn } from '../experiment/own-service.ts';
import { emptiedFolder } from '../base/testing-folder.ts';
import { readOwnService } from './read-service.ts';
import { serviceYaml, wrongTexts } from './testing.ts';

const folder = emptiedFolder();
const path = join(folder, 'service.yaml');

beforeEach(async () => {
  await writeFile(join(folder, 'app'), 'x', { mode: 0o755 });
  await mkdir(join(folder, 'units'));
});

async function read(text: string | Buffer, environment: NodeJS.ProcessEnv = {}) {
  await writeFile(path, text);
  return await readOwnService(path, environment);
}

async function said(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HarnessError)) throw new Error(`no error of ours: ${String(error)}`);
  expect([error.code, error.exitCode]).toEqual(['service-invalid', 2]);
  return error.message.replaceAll(`${folder}/`, '');
}

/** What is said begins with a file: the service.yaml, unless another one is named. */
function placed(sentence: string, file = 'service.yaml'): string {
  return /^\d/u.test(sentence) ? `${file}:${sentence}` : sentence;
}

describe('what is written', () => {
  it.each(wrongTexts)('%j is refused: %s', async (text, sentence) => {
    expect(await said(read(text, { LINES: 'a\nb' }))).toBe(placed(sentence));
  });
});

describe('files', () => {
  it.each<[field: string, sentence: string]>([
    ['files: [ap]', '2:9: files.0: ap does not exist.'],
    ["files: ['C:\\shop\\app']", '2:9: files.0: C:\\shop\\app does not exist.'],
    ['files: [app/below]', '2:9: files.0: app/below does not exist.'],
    ['files: [pipe]', '2:9: files.0: pipe is a pipe, a socket or a device.'],
    ['files: [withpipe]', '2:9: files.0: withpipe/pipe is a pipe, a socket or a device: only files can be copied.'],
    ['files: [links]', '2:9: files.0: links/out is a link to ../units, which is not copied.'],
    ['files: [away]', '2:9: files.0: away/python is a link to /home/me/python, which is not on the server.'],
    [
      'release: { link: /opt/x, folders: [a/dist, b/dist] }',
      '2:44: release.folders.1: is called dist, as a/dist is: rename one.',
    ],
    ['files: [huge]', '2:9: files.0: with this, what is copied is more than 1 GiB.'],
    ['env: units', '2:6: env: units is a folder.'],
    ['proxy: app', '2:8: proxy: app must end in .yml, .yaml or .toml: Traefik reads no other.'],
    ['release: { link: /opt/x, folders: [app] }', '2:36: release.folders.0: app is no folder.'],
    ['env: export.env', 'export.env:2:1: systemd takes NAME=value, without export.'],
  ])('%s is refused: %s', async (files, sentence) => {
    execFileSync('mkfifo', ['pipe', 'withpipe-pipe'], { cwd: folder });
    await mkdir(join(folder, 'withpipe'));
    execFileSync('mv', ['withpipe-pipe', 'withpipe/pipe'], { cwd: folder });
    await mkdir(join(folder, 'links'));
    await symlink('../units', join(folder, 'links', 'out'));
    await mkdir(join(folder, 'away'));
    await symlink('/home/me/python', join(folder, 'away', 'python'));
    await writeFile(join(folder, 'huge'), '');
    await truncate(join(folder, 'huge'), 2 ** 30 + 1);
    await writeFile(join(folder, 'export.env'), 'A=1\nexport B=2\n');
    expect(await said(read(serviceYaml({ files })))).toBe(placed(sentence));
  });

  it.each<[file: string, sentence: string]>([
    ['shop.unit', '3:7: unit: must be named NAME.service, not shop.unit.'],
    ['shop@.service', '3:7: unit: shop@.service is a template: name the unit of one service, without @.'],
  ])('the unit units/%s is refused: %s', async (file, sentence) => {
    await writeFile(join(folder, 'units', file), '');
    expect(await said(read(serviceYaml({ start: `unit: units/${file}` })))).toBe(placed(sentence));
  });

  it.each<[text: string, sentence: string]>([
    ['[Unit]\nDescription=x', '1:1: there is no ExecStart= in [Service]: it starts nothing.'],
    ['[Service]\nExecStart=/bin/x\nExecStart=', '1:1: there is no ExecStart= in [Service]: it starts nothing.'],
    ['[Unit]\n# ExecStart=/x\nExecStart=/bin/x', '3:1: ExecStart= stands in [Unit]: it belongs to [Service].'],
    ['[Service]\nExecStart=-./app', '2:1: ExecStart= takes an absolute path or a plain name, not ./app.'],
    [
      '[Service]\nExecStart=/x \\\n  -a\nType=oneshot',
      '4:1: Type=oneshot ends by itself: there is nothing to restart.',
    ],
  ])('a unit of %j is refused: %s', async (text, sentence) => {
    await writeFile(join(folder, 'units', 'shop.service'), `${text}\n`);
    const reading = read(serviceYaml({ start: 'unit: units/shop.service' }));
    expect(await said(reading)).toBe(placed(sentence, 'units/shop.service'));
  });

  it.each<[text: string, sentence: string, listens?: string]>([
    ['ListenStream=8080', '2:1: no ListenStream= takes port 18080, which is public: it has 8080.'],
    ['ListenStream=18080\nListenStream=', '1:1: no ListenStream= takes port 18080, which is public.'],
    [
      'Accept=yes\nListenStream=18080',
      '2:1: Accept=yes starts a process for each connection: there is no service to restart.',
    ],
    [
      'ListenStream=18080\nService=web.service',
      '3:1: it opens its port for web.service, and the unit is shop.service.',
    ],
    [
      'ListenStream=18080',
      'service.yaml:5:9: socket: needs listens: inherits (it serves fd 3 only), or listens: either',
      'itself',
    ],
  ])('a socket unit of %j is refused: %s', async (text, sentence, listens = 'either') => {
    await writeFile(join(folder, 'units', 'shop.service'), '[Service]\nExecStart=/opt/shop/app\n');
    await writeFile(join(folder, 'units', 'shop.socket'), `[Socket]\n${text}\n`);
    const start = `unit: units/shop.service\nlistens: ${listens}\nsocket: units/shop.socket`;
    expect(await said(read(serviceYaml({ start })))).toBe(placed(sentence, 'units/shop.socket'));
  });

  const routers = 'routers: { a: { rule: "Host(`shop.test`)", service: a } }';
  const proxyServer = (port: string): string =>
    `services: { a: { loadBalancer: { servers: [{ url: "http://127.0.0.1:${port}" }] } } }`;
  const services = proxyServer('18080');
  it.each<[http: readonly string[], sentence: string | null]>([
    [[routers, services], null],
    [['routers: { a: { rule: "PathPrefix(`/`)", entryPoints: [web], service: a } }', services], null],
    [[routers.replace('Host(`shop.test`)', 'Host(`{{ env `HOST` }}`)'), services], null],
    [[routers, proxyServer('180800')], '3:48: no server is at port 18080, which is public.'],
    [['routers: {}\ntcp: {}'], null],
    [[services], '1:1: there are no routers: it routes nothing.'],
    [
      [routers.replace('shop.test', 'shop.example'), services],
      '2:19: no rule takes the requests, whose Host is shop.test.',
    ],
    [
      [routers.replace('service:', 'entryPoints: [websecure], service:'), services],
      '2:46: no router is of the entry point web.',
    ],
    [
      [routers.replace('service:', 'tls: {}, service:'), services],
      '2:46: no router takes plain http, which the load speaks.',
    ],
    [
      ['routers: [', services],
      '3:3: cannot be read as YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
    ],
  ])('a proxy file with %j: %s', async (http, sentence) => {
    await writeFile(join(folder, 'shop.yml'), `http:\n${http.map((line) => `  ${line}\n`).join('')}`);
    const reading = read(serviceYaml({ more: 'proxy: shop.yml' }));
    if (sentence === null) expect((await reading).service.proxy).toBe('shop.yml');
    else expect(await said(reading)).toBe(`shop.yml:${sentence}`);
  });

  const env = '[Service]\nEnvironmentFile=/etc/shop.env\nExecStart=/opt/shop/app\n';
  it.each<[start: string, sentence: string | null, program?: string | Buffer, mode?: number]>([
    ['start: /opt/shop/ap', '3:8: start: /opt/shop/ap is not on the server: files puts /opt/shop/app there.'],
    ['start: /opt/shop/app/run', '3:8: start: app/run does not exist.'],
    ['start: /opt/shop/app', '3:8: start: app may not be executed.', '', 0o644],
    ['start: /opt/shop/app', '3:8: start: app is built for macOS.', Buffer.from('cffaedfe', 'hex')],
    ['start: /opt/shop/app', '3:8: start: app is built for Windows.', 'MZ\0'],
    [
      'start: /opt/shop/app',
      '3:8: start: app begins with #!/home/me/venv/bin/python3, which is not on the server.',
      '#!/home/me/venv/bin/python3\n',
    ],
    ['start: /opt/shop/app', null, '#!/opt/shop/app\n'],
    ['start: /opt/shop/app', null, '#! /usr/bin/env python3\n'],
    ['start: /opt/shop/app', null, '#!/usr/local/bin/node\n'],
    ['start: /usr/local/bin/node app', null],
    [
      'start: /usr/local/bin/deno',
      '3:8: start: /usr/local/bin/deno is not on the server: files puts /opt/shop/app there.',
    ],
    [
      'start: /opt/shop/now/a\nrelease: { link: /opt/shop/now, folders: [units] }',
      '3:8: start: units/a does not exist.',
    ],
    ['start: /opt/shop/new\nrelease: { command: make new }', null],
    ['start: /opt/other\nimage: other', null],
    [
      'start: node server/index.js {public}',
      'service.yaml:3:8: start: /opt/shop/server/index.js is not on the server: files puts /opt/shop/app there.',
    ],
    [
      'start: /usr/bin/python3 -u /srv/shop.py',
      'service.yaml:3:8: start: /srv/shop.py is not on the server: files puts /opt/shop/app there.',
    ],
    ['start: node --import tsx app/main.ts', 'service.yaml:3:8: start: app/main.ts does not exist.'],
    ["start: sh -c 'node x.js'", null],
    ['start: node -e 1 {public} --to=/tmp/x.js', null],
    ['start: python3 -m http.server', null],
    ['start: node /var/lib/shop/x.js', null],
    ['start: node index.js\nrelease: { command: make index.js }', null],
    [
      'unit: units/script.service',
      'units/script.service:2:1: ExecStart=: /opt/shop/x.py is not on the server: files puts /opt/shop/app there.',
    ],
    [
      'unit: units/none.service',
      'units/none.service:2:1: ExecStart=: /opt/shop/none is not on the server: files puts /opt/shop/app there.',
    ],
    ['unit: units/shop.service', 'units/shop.service:2:1: EnvironmentFile=: /etc/shop.env is not on the server.'],
    ['unit: units/maybe.service', null],
    ['unit: units/lines.service', null],
  ])('%j: %s', async (start, sentence, program = '', mode = 0o755) => {
    await writeFile(join(folder, 'units', 'none.service'), '[Service]\nExecStart=-/opt/shop/none\n');
    await writeFile(join(folder, 'units', 'shop.service'), env);
    const script = '[Service]\nExecStart=/usr/bin/python3 /opt/shop/x.py\n';
    await writeFile(join(folder, 'units', 'script.service'), script);
    const lines = '[Service]\n# Before: \\\nExecStart=/opt/shop/app \\\n; of it\n  Type=oneshot\n';
    await writeFile(join(folder, 'units', 'lines.service'), lines);
    await writeFile(join(folder, 'units', 'maybe.service'), env.replace('=/etc', '=-/etc'));
    await writeFile(join(folder, 'app'), program);
    await chmod(join(folder, 'app'), mode);
    const reading = read(serviceYaml({ start }));
    if (sentence === null) expect((await reading).service.name).toBe('shop');
    else expect(await said(reading)).toBe(placed(sentence));
  });

  it.skipIf(process.getuid?.() === 0)('one that may not be read is refused', async () => {
    await chmod(join(folder, 'app'), 0);
    expect(await said(read(serviceYaml({})))).toBe('service.yaml:2:9: files.0: app may not be read by this user.');
  });

  it('service.yaml itself is refused where it is none', async () => {
    expect(await said(readOwnService(join(folder, 'none.yaml'), {}))).toBe(
      'The service file none.yaml does not exist.',
    );
    expect(await said(readOwnService(join(folder, 'units'), {}))).toBe('The service file units is a folder.');
    execFileSync('mkfifo', [path]);
    expect(await said(readOwnService(path, {}))).toBe(
      'The service file service.yaml cannot be read: it is a named pipe.',
    );
    await rm(path);
    expect(await said(read('#'.repeat(262_145)))).toBe('service.yaml is larger than 256 KiB: that is no service file.');
    const latin = Buffer.concat([Buffer.from(serviceYaml({})), Buffer.from([0x68, 0x6f, 0xe9])]);
    expect(await said(read(latin))).toBe('service.yaml:6:3: this letter is no UTF-8: save the file as UTF-8.');
  });
});

it('reads every field, and says where each file goes', async () => {
  await writeFile(join(folder, 'units', 'shop.service'), '[Service]\nExecStart=/usr/bin/python3 \\\n  -m shop\n');
  await writeFile(join(folder, 'units', 'web.socket'), '[Socket]\nListenStream=0.0.0.0:9000\nService=shop.service\n');
  const { service, used, mix, labelOf, ...rest } = await read(`
name: shop
unit: units/shop.service
socket: units/web.socket
listens: inherits
public: 0.0.0.0:9000
files: [./app, { from: units, to: /srv/units }]
environment: { LEVEL: 3 }
requests:
  - { name: order, method: POST, path: '/orders/{id}', weight: 3 }
  - path: /
writes: { requests: [order], command: cat /srv/orders }
`);
  expect(rest).toMatchObject({ path, folder });
  expect(labelOf('requests', 1, 'path')).toBe(`${path}:11:11: requests.1.path`);
  expect(labelOf('proxy')).toBe(`${path}:2:1: proxy`);
  expect(used).toEqual(service);
  expect(service).toMatchObject({
    files: [
      { from: './app', to: '/opt/shop/app' },
      { from: 'units', to: '/srv/units' },
    ],
    environment: { LEVEL: '3' },
    requests: [
      { name: 'order', slotsOf100: 76 },
      { name: 'GET /', slotsOf100: 24 },
    ],
    unitChanges: [],
  });
  expect(service.contents).toMatch(/^[0-9a-f]{64}$/u);
  expect(mix[0]?.mixed?.target).toEqual(['/orders/', 'id', '']);
});

it('starts the service with secrets, and records the variables that hold them', async () => {
  const { service, used, mix } = await read(
    `
name: shop
start: /usr/bin/app --token abc-1 --level \${LEVEL} {public}
environment: { DB_PASSWORD: p4ssw0rd, OTHER: 'a \${MINE}', URL: postgres://me:hidden@127.0.0.1/db, LEVEL: '{graceMs} {{x}}' }
release: { environment: { API_KEY: '\${MINE}', VERSION: '{version}' } }
containers: [{ name: db, image: postgres, environment: { POSTGRES_PASSWORD: p4ssw0rd }, ready: psql postgres://me:p4ssw0rd@127.0.0.1 }]
requests: [{ path: /?token=abc-2, headers: { Authorization: 'Bearer \${MINE}' } }]
`,
    { MINE: 's3cr3t' },
  );
  const recorded = JSON.stringify(service);
  for (const secret of ['abc-1', 'abc-2', 'p4ssw0rd', 'hidden', 's3cr3t']) expect(recorded).not.toContain(secret);
  expect(service).toMatchObject({
    start: '/usr/bin/app --token ${TOKEN} --level ${LEVEL} {public}',
    environment: { DB_PASSWORD: '${DB_PASSWORD}', OTHER: 'a ${MINE}', LEVEL: '{graceMs} {{x}}' },
  });
  expect(used).toMatchObject({
    start: '/usr/bin/app --token abc-1 --level ${LEVEL} {public}',
    environment: { DB_PASSWORD: 'p4ssw0rd', OTHER: 'a s3cr3t', URL: 'postgres://me:hidden@127.0.0.1/db' },
    release: { environment: { API_KEY: 's3cr3t', VERSION: '{version}' } },
    containers: [{ environment: { POSTGRES_PASSWORD: 'p4ssw0rd' } }],
  });
  expect(mix[0]?.mixed?.headers).toEqual([['Authorization', ['Bearer s3cr3t']]]);
});

it('asks at paths with secrets, and records them as those of requests', async () => {
  const { service, used, hide } = await read(
    `
name: shop
start: /usr/bin/app {public}
health: { live: '/livez?a=1&key=abc-1', ready: '/readyz?k=\${MINE}' }
version: { path: '/version?token=\${MINE}' }
requests: [{ name: order, method: POST, path: / }]
writes: { requests: [order], url: '/orders/{id}?sig=abc-2' }
`,
    { MINE: 's3cr3t' },
  );
  expect(service).toMatchObject({
    health: { live: '/livez?a=1&key=${KEY}', ready: '/readyz?k=${MINE}' },
    version: { path: '/version?token=${MINE}' },
    writes: { url: '/orders/{id}?sig=${SIG}' },
  });
  expect(used).toMatchObject({
    health: { live: '/livez?a=1&key=abc-1', ready: '/readyz?k=s3cr3t' },
    version: { path: '/version?token=s3cr3t' },
    writes: { url: '/orders/{id}?sig=abc-2' },
  });
  expect(hide('http://127.0.0.1:18080/readyz?k=s3cr3t: 500')).toBe('http://127.0.0.1:18080/readyz?k=${MINE}: 500');
});

it('fills in names that have a value, and leaves variables and doubled braces', () => {
  expect(filledIn('{a} {{a}} ${a} {b}', { a: '1' })).toBe('1 {a} ${a} {b}');
});

it('tells one program from another by its files', async () => {
  const contents = async (): Promise<string> =>
    (await read(serviceYaml({ files: 'files: [app, units]' }))).service.contents;
  await writeFile(join(folder, 'units', 'mode'), '');
  const seen = [await contents()];
  expect(await contents()).toBe(seen[0]);
  const changes: (() => Promise<unknown>)[] = [
    () => writeFile(join(folder, 'app'), 'y'),
    () => chmod(join(folder, 'units', 'mode'), 0o755),
    () => writeFile(join(folder, 'units', 'a'), ''),
    () => symlink('a', join(folder, 'units', 'b')),
    () => symlink('/usr/bin/python3', join(folder, 'units', 'python3')),
    () => symlink('../app', join(folder, 'units', 'c')),
    () => rm(join(folder, 'units', 'b')).then(() => symlink('mode', join(folder, 'units', 'b'))),
    () => mkdir(join(folder, 'units', 'empty')),
  ];
  for (const change of changes) {
    await change();
    seen.push(await contents());
  }
  expect(new Set(seen).size).toBe(seen.length);
});

it('hides secrets in what is written down: words of an error, units, and files of the proxy', async () => {
  const { hide } = await read(
    `
name: shop
start: /usr/bin/app {public}
environment: { OTHER: 'a \${MINE}', DB_PASSWORD: p4ssw0rd }
requests: [{ path: / }]
`,
    { MINE: 's3cr3t' },
  );
  const texts: [string, string][] = [
    ['sh: a s3cr3t: not found; p4ssw0rd', 'sh: ${SECRET}: not found; ${SECRET}'],
    ['Environment=API_TOKEN=abc-1 PLAIN=x\n', 'Environment=API_TOKEN=${API_TOKEN} PLAIN=x\n'],
    ['Environment="API_TOKEN=abc 1" "PLAIN=x y"\n', 'Environment="API_TOKEN=${API_TOKEN}" "PLAIN=x y"\n'],
    ['ExecStart=/bin/app --token abc-1 --port 80\n', 'ExecStart=/bin/app --token ${TOKEN} --port 80\n'],
    [
      '  customRequestHeaders: { Authorization: "Bearer abc-1" }',
      '  customRequestHeaders: { Authorization: "${AUTHORIZATION}" }',
    ],
    ['  Authorization: Bearer abc-1\n', '  Authorization: ${AUTHORIZATION}\n'],
    ['  users: ["me:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]', '  users: ["me:${PASSWORD}"]'],
    ['[Service]\nExecStart=/opt/shop/shop --level 3\nDescription=A "shop": of mine\n', ''],
  ];
  for (const [text, shown] of texts) expect(hide(text)).toBe(shown || text);
});
