/** A service.yaml: each mistake is one sentence with file, line and column, and no secret is written down. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { HarnessError } from '../base/errors.ts';
import { emptiedFolder } from '../base/testing-folder.ts';
import { readOwnService } from './read-service.ts';

const folder = emptiedFolder();
const path = join(folder, 'service.yaml');

beforeEach(async () => {
  await writeFile(join(folder, 'app'), 'x');
  await mkdir(join(folder, 'units'));
});

/** A right file with one of its lines in another form, and lines behind it: `requests` is line 4. */
function yaml({
  name = 'name: shop',
  files = 'files: [app]',
  start = 'start: /opt/shop/app {public}',
  more = '',
}): string {
  return `${name}\n${files}\n${start}\nrequests:\n  - path: /\n${more}`;
}

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
  expect(error.exitCode).toBe(2);
  return error.message.replaceAll(`${folder}/`, '');
}

const listed =
  '{public}, {publicPort}, {internal}, {internalPort}, {database}, {version}, {graceMs}, {shutdownTimeoutMs}, {warmupMs}';
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcde'.split('').map((one, at) => {
    const before = `*${'abcd'[at] ?? ''}`;
    return `${one}: &${one} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
  }),
].join('\n');

describe('what is written', () => {
  it.each<[text: string, sentence: string]>([
    ['', '1:1: is empty.'],
    ['# nothing\n', '1:1: is empty.'],
    ['- name: shop\n', '1:1: must be a map of fields, not a list'],
    ['shop', '1:1: must be a map of fields, not "shop"'],
    ['name: shop\nhealth:\n\tlive: /\n', '3:1: a tab stands where the indent is: use spaces.'],
    [yaml({ name: 'name: sh\0op' }), '1:9: a control character (U+0000) is not text.'],
    [`\ufeff${yaml({ more: 'nme: x' })}`, '6:1: nme: there is no such field. Did you mean name?'],
    [yaml({ more: 'nme: x\n' }).replaceAll('\n', '\r\n'), '6:1: nme: there is no such field. Did you mean name?'],
    [`${yaml({})}---\n${yaml({})}`, '6:1: a second document begins here; the file may have one.'],
    [bomb, '1:14: with its aliases it has more than 20000 values.'],
    [`a: ${'['.repeat(60)}${']'.repeat(60)}`, '1:36: nested deeper than 32 levels.'],
    [`%YAML 1.1\n---\n${yaml({})}`, '1:1: YAML 1.1 reads yes as true and 010 as 8: take the line %YAML 1.1 away.'],
    [yaml({ more: 'host: !env X' }), '6:7: the tag !env is not known here.'],
    [yaml({ more: 'host: *x' }), '6:7: there is no anchor &x.'],
    [yaml({ more: 'name: other' }), '6:1: the same field is there twice.'],
    [yaml({ name: '' }), '2:1: name: is missing: it must be text'],
    [yaml({ name: 'nme: shop' }), '1:1: nme: there is no such field. Did you mean name?'],
    [
      yaml({ name: 'name: My Shop' }),
      '1:7: name: must be lower case, digits and dashes, at most 31 letters, a letter first',
    ],
    [yaml({ start: '' }), '1:1: needs start (a command line) or unit (your own unit file)'],
    [yaml({ more: 'unit: shop.service' }), '6:7: unit: start and unit are two ways to say what runs: take one'],
    [
      yaml({ start: 'start: /opt/shop/app {pubic}' }),
      '3:8: start: {pubic} is not filled in; {{pubic}} stands for itself. Did you mean public?',
    ],
    [
      yaml({ start: 'start: /opt/shop/app {port}' }),
      `3:8: start: {port} is not filled in; {{port}} stands for itself. There are ${listed}.`,
    ],
    [yaml({ start: 'start: /opt/shop/app {database}' }), '3:8: start: {database} needs database: the path of the file'],
    [
      yaml({ start: 'start: |\n  /opt/shop/app\n  --port 1' }),
      '3:8: start: must be one line: in YAML, >- makes one of several',
    ],
    [yaml({ files: 'files: app' }), '2:8: files: must be a list, not "app"'],
    [yaml({ files: 'files: [{ form: app }]' }), '2:11: files.0.form: there is no such field. Did you mean from?'],
    [
      yaml({ files: 'files: [{ from: app, to: /opt/ }]' }),
      '2:26: files.0.to: must be an absolute path on the server, without .. in it and / at its end',
    ],
    [
      yaml({ files: 'files: [{ from: app, to: /opt/../etc/app }]' }),
      '2:26: files.0.to: must be an absolute path on the server, without .. in it and / at its end',
    ],
    [
      yaml({ files: 'files: [app, { from: app, to: /opt/shop/app }]' }),
      '2:14: files.1: goes to /opt/shop/app, as files.0 does.',
    ],
    [yaml({ more: 'packages: ["curl; reboot"]' }), '6:12: packages.0: is no name of a Debian package'],
    [yaml({ more: 'public: 8080' }), '6:9: public: must be 127.0.0.1:PORT, or 0.0.0.0:PORT'],
    [yaml({ more: 'public: 127.0.0.1:99999' }), '6:9: public: its port must be from 1 to 65535'],
    [yaml({ more: 'public: 127.0.0.1:80' }), "6:9: public: port 80 is the proxy's: take another"],
    [yaml({ more: 'internal: 127.0.0.1:8099' }), "6:11: internal: port 8099 is the proxy's: take another"],
    [
      yaml({ more: 'internal: 127.0.0.1:18080' }),
      '6:11: internal: is the port of public: leave it out where health is asked there, too',
    ],
    [
      yaml({ more: 'listens: inherit' }),
      '6:10: listens: must be itself, inherits or either, not "inherit". Did you mean inherits?',
    ],
    [
      yaml({ more: 'socket: shop.socket' }),
      '6:9: socket: goes with your own unit; with start, listens says what it takes',
    ],
    [yaml({ more: 'health: { livez: /livez }' }), '6:11: health.livez: there is no such field. Did you mean live?'],
    [yaml({ more: 'health: /livez' }), '6:9: health: must be a map of fields, not "/livez"'],
    [yaml({ more: 'version: {}' }), '6:1: version: needs header or path'],
    [yaml({ more: 'version: { header: a b }' }), '6:20: version.header: is no name of a header'],
    [
      yaml({ more: 'version: { header: A, path: /v }' }),
      '6:23: version.path: does not go with the fields beside it: it is another way to say the same',
    ],
    [
      yaml({ more: 'environment: { DEBUG: true }' }),
      '6:23: environment.DEBUG: must be text, not true: write it in quotes',
    ],
    [yaml({ more: 'environment: { a-b: x }' }), '6:16: environment.a-b: is no name of a variable'],
    [yaml({ more: 'environment: { A: "x\\ny" }' }), '6:19: environment.A: must be one line'],
    [
      yaml({ more: 'environment: { A: "${NONE}" }' }),
      '6:19: environment.A names ${NONE}, and the environment has no NONE.',
    ],
    [
      yaml({ more: 'environment: { A: "${LINES}" }' }),
      '6:19: environment.A: must be one line, and the variable that it names is not.',
    ],
    [yaml({ more: 'writes: { requests: [GET /] }' }), '6:1: writes: needs sql, url or command'],
    [
      yaml({ more: 'writes: { requests: [GET /], sql: select 1 }' }),
      '6:35: writes.sql: needs database: the SQLite file that is asked',
    ],
    [yaml({ more: 'writes: { requests: [GET /], url: /x }' }), '6:35: writes.url: must hold {id}'],
    [
      yaml({ more: 'writes: { requests: [order], command: ls }' }),
      '6:22: writes.requests.0: there is no request "order".',
    ],
    [
      yaml({ more: 'release: { env: { A: x } }' }),
      '6:12: release.env: there is no such field; there are environment, link, folders, command',
    ],
    [
      yaml({ more: 'release: { environment: { A: "{versoin}" } }' }),
      '6:30: release.environment.A: {versoin} is not filled in; {{versoin}} stands for itself. Did you mean version?',
    ],
    [
      yaml({ more: 'release: { link: /opt/shop/app, folders: [units] }' }),
      '2:9: files.0: goes to /opt/shop/app, as release.link does.',
    ],
    [yaml({ more: 'containers: [{ name: db }]' }), '6:14: containers.0: needs either image or packages'],
    [
      yaml({ more: 'containers: [{ name: db, image: a }, { name: db, image: a }]' }),
      '6:46: containers.1.name: another container is called db',
    ],
    [
      yaml({ more: 'restart: always' }),
      '6:1: restart: there is no such field; there are name, files, packages, image, start, unit, socket, env, environment, public, internal, listens, host, health, version, database, writes, release, proxy, containers, requests',
    ],
    ['name: shop\nstart: x\n', '1:1: requests: is missing: it must be a list'],
    ['name: shop\nstart: x\nrequests: []\n', '3:1: requests: must be a list of at least 1, not of 0'],
    ['name: shop\nstart: x\nrequests:\n  - method: GET\n', '4:5: requests.0.path: is missing: it must be text'],
    [
      'name: shop\nstart: x\nrequests:\n  - path: http://shop/\n',
      '4:11: requests.0.path: must begin with /: it is a path, not a whole URL',
    ],
    [
      'name: shop\nstart: x\nrequests:\n  - path: /\n    headers: { Host: a }\n',
      '5:22: requests.0.headers.Host: is the same for all requests: write host: beside requests.',
    ],
    [
      'name: shop\nstart: x\nrequests:\n  - path: /\n    body: "@none.bin"\n',
      '5:11: requests.0.body: the file none.bin does not exist.',
    ],
  ])('%j is refused: %s', async (text, sentence) => {
    expect(await said(read(text, { LINES: 'a\nb' }))).toBe(`service.yaml:${sentence}`);
  });
});

describe('files', () => {
  it.each<[field: string, sentence: string]>([
    ['files: [ap]', 'service.yaml:2:9: files.0: ap does not exist.'],
    ["files: ['C:\\shop\\app']", 'service.yaml:2:9: files.0: C:\\shop\\app does not exist.'],
    ['files: [app/below]', 'service.yaml:2:9: files.0: app/below does not exist.'],
    ['files: [pipe]', 'service.yaml:2:9: files.0: pipe is a pipe, a socket or a device.'],
    [
      'files: [withpipe]',
      'service.yaml:2:9: files.0: withpipe/pipe is a pipe, a socket or a device: only files can be copied.',
    ],
    ['files: [links]', 'service.yaml:2:9: files.0: links/out is a link to ../units, which is not copied.'],
    ['files: [huge]', 'service.yaml:2:9: files.0: with this, what is copied is more than 1 GiB.'],
    ['env: units', 'service.yaml:2:6: env: units is a folder.'],
    ['proxy: app', 'service.yaml:2:8: proxy: app must end in .yml, .yaml or .toml: Traefik reads no other.'],
    ['release: { link: /opt/x, folders: [app] }', 'service.yaml:2:36: release.folders.0: app is no folder.'],
    ['env: export.env', 'export.env:2:1: systemd takes NAME=value, without export.'],
    ['proxy: port.yml', 'port.yml:1:1: it names no server at port 18080, which is public.'],
    ['proxy: host.yml', 'host.yml:3:1: no rule takes the requests, whose Host is shop.test.'],
  ])('%s is refused: %s', async (files, sentence) => {
    execFileSync('mkfifo', ['pipe', 'withpipe-pipe'], { cwd: folder });
    await mkdir(join(folder, 'withpipe'));
    execFileSync('mv', ['withpipe-pipe', 'withpipe/pipe'], { cwd: folder });
    await mkdir(join(folder, 'links'));
    await symlink('../units', join(folder, 'links', 'out'));
    await writeFile(join(folder, 'huge'), '');
    await truncate(join(folder, 'huge'), 2 ** 30 + 1);
    await writeFile(join(folder, 'export.env'), 'A=1\nexport B=2\n');
    const server = 'services: { a: { loadBalancer: { servers: [{ url: "http://127.0.0.1:';
    await writeFile(join(folder, 'port.yml'), `http:\n  ${server}180800" }] } } }\n`);
    const rule = 'routers: { a: {\n    rule: Host(`shop.example`), service: a } }';
    await writeFile(join(folder, 'host.yml'), `http:\n  ${rule}\n  ${server}18080" }] } } }\n`);
    expect(await said(read(yaml({ files })))).toBe(sentence);
  });

  const socketLine = 'listens: either\nsocket: units/shop.socket';
  it.each<[file: string, text: string, sentence: string, lines?: string]>([
    ['shop.unit', '', 'service.yaml:3:7: unit: must be named NAME.service, not shop.unit.'],
    [
      'shop@.service',
      '',
      'service.yaml:3:7: unit: shop@.service is a template: name the unit of one service, without @.',
    ],
    [
      'shop.service',
      '[Unit]\nDescription=x\n',
      'units/shop.service:1:1: there is no ExecStart= in [Service]: it starts nothing.',
    ],
    [
      'shop.service',
      '[Service]\nExecStart=/bin/x\nExecStart=\n',
      'units/shop.service:1:1: there is no ExecStart= in [Service]: it starts nothing.',
    ],
    [
      'shop.service',
      '[Unit]\n# ExecStart=/x\nExecStart=/bin/x\n',
      'units/shop.service:3:1: ExecStart= stands in [Unit]: it belongs to [Service].',
    ],
    [
      'shop.service',
      '[Service]\nExecStart=-./app\n',
      'units/shop.service:2:1: ExecStart= takes an absolute path or a plain name, not ./app.',
    ],
    [
      'shop.service',
      '[Service]\nExecStart=/bin/x \\\n  -a\nType=oneshot\n',
      'units/shop.service:4:1: Type=oneshot ends by itself: there is nothing to restart.',
    ],
    [
      'shop.socket',
      '[Socket]\nListenStream=8080\n',
      'units/shop.socket:2:1: no ListenStream= takes port 18080, which is public: it has 8080.',
      socketLine,
    ],
    [
      'shop.socket',
      '[Socket]\nListenStream=18080\nListenStream=\n',
      'units/shop.socket:1:1: no ListenStream= takes port 18080, which is public.',
      socketLine,
    ],
    [
      'shop.socket',
      '[Socket]\nAccept=yes\nListenStream=18080\n',
      'units/shop.socket:2:1: Accept=yes starts a process for each connection: there is no service to restart.',
      socketLine,
    ],
    [
      'shop.socket',
      '[Socket]\nListenStream=18080\nService=web.service\n',
      'units/shop.socket:3:1: it opens its port for web.service, and the unit is shop.service.',
      socketLine,
    ],
    [
      'shop.socket',
      '[Socket]\nListenStream=18080\n',
      'service.yaml:4:9: socket: needs listens: inherits (it serves fd 3 only), or listens: either',
      'socket: units/shop.socket',
    ],
  ])('units/%s with %j is refused: %s', async (file, text, sentence, lines = '') => {
    await writeFile(join(folder, 'units', 'shop.service'), '[Service]\nExecStart=/opt/shop/app\n');
    await writeFile(join(folder, 'units', file), text);
    const unit = file.endsWith('.socket') ? 'shop.service' : file;
    expect(await said(read(yaml({ start: `unit: units/${unit}\n${lines}` })))).toBe(sentence);
  });

  it.skipIf(process.getuid?.() === 0)('one that may not be read is refused', async () => {
    await chmod(join(folder, 'app'), 0);
    expect(await said(read(yaml({})))).toBe('service.yaml:2:9: files.0: app may not be read by this user.');
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
    const latin = Buffer.concat([Buffer.from(yaml({})), Buffer.from([0x68, 0x6f, 0xe9])]);
    expect(await said(read(latin))).toBe('service.yaml:6:3: this letter is no UTF-8: save the file as UTF-8.');
  });
});

it('reads every field, and says where each file goes', async () => {
  await writeFile(join(folder, 'units', 'shop.service'), '[Service]\nExecStart=/usr/bin/python3 \\\n  -m shop\n');
  await writeFile(join(folder, 'units', 'web.socket'), '[Socket]\nListenStream=0.0.0.0:9000\nService=shop.service\n');
  const { service, used, mix, where, ...rest } = await read(`
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
  expect(rest).toEqual({ path, folder });
  expect(where('requests', 1, 'path')).toBe(`${path}:11:11`);
  expect(where('proxy')).toBe(`${path}:2:1`);
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
start: /opt/app --token abc-1 --level \${LEVEL} {public}
environment: { DB_PASSWORD: p4ssw0rd, OTHER: 'a \${MINE}', URL: postgres://me:hidden@127.0.0.1/db, LEVEL: '{version} {{x}}' }
release: { environment: { API_KEY: '\${MINE}', VERSION: '{version}' } }
containers: [{ name: db, image: postgres, environment: { POSTGRES_PASSWORD: p4ssw0rd }, ready: psql postgres://me:p4ssw0rd@127.0.0.1 }]
requests: [{ path: /?token=abc-2, headers: { Authorization: 'Bearer \${MINE}' } }]
`,
    { MINE: 's3cr3t' },
  );
  const recorded = JSON.stringify(service);
  for (const secret of ['abc-1', 'abc-2', 'p4ssw0rd', 'hidden', 's3cr3t']) expect(recorded).not.toContain(secret);
  expect(service).toMatchObject({
    start: '/opt/app --token ${TOKEN} --level ${LEVEL} {public}',
    environment: { DB_PASSWORD: '${DB_PASSWORD}', OTHER: 'a ${MINE}', LEVEL: '{version} {{x}}' },
  });
  expect(used).toMatchObject({
    start: '/opt/app --token abc-1 --level ${LEVEL} {public}',
    environment: { DB_PASSWORD: 'p4ssw0rd', OTHER: 'a s3cr3t', URL: 'postgres://me:hidden@127.0.0.1/db' },
    release: { environment: { API_KEY: 's3cr3t', VERSION: '{version}' } },
    containers: [{ environment: { POSTGRES_PASSWORD: 'p4ssw0rd' } }],
  });
  expect(mix[0]?.mixed?.headers).toEqual([['Authorization', ['Bearer s3cr3t']]]);
});

it('tells one program from another by its files', async () => {
  const contents = async (): Promise<string> => (await read(yaml({ files: 'files: [app, units]' }))).service.contents;
  const seen = [await contents()];
  expect(await contents()).toBe(seen[0]);
  const changes: (() => Promise<unknown>)[] = [
    () => writeFile(join(folder, 'app'), 'y'),
    () => chmod(join(folder, 'app'), 0o755),
    () => writeFile(join(folder, 'units', 'a'), ''),
    () => symlink('a', join(folder, 'units', 'b')),
    () => symlink('/usr/bin/python3', join(folder, 'units', 'python3')),
    () => symlink('../app', join(folder, 'units', 'c')),
    () => mkdir(join(folder, 'units', 'empty')),
  ];
  for (const change of changes) {
    await change();
    seen.push(await contents());
  }
  expect(new Set(seen).size).toBe(seen.length);
});
