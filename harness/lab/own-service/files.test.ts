import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadExperiment } from '../../experiment/catalog.ts';
import { resolveExperiment, type Change } from '../../experiment/fields.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import type { LabFile } from '../engine/files.ts';
import { filesOfEdge, filesOfServer } from '../lab.ts';
import { accountsOf, filesOfOwnPrograms } from './files.ts';
import { unknownPackage } from './image.ts';

let folder: string;
const labelOf = (...at: PropertyKey[]): string => `service.yaml:3:5: ${at.join('.')}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restart-proof-test-'));
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'shop'), 'a program');
  await chmod(join(folder, 'bin', 'shop'), 0o755);
  await symlink('shop', join(folder, 'bin', 'latest'));
  await writeFile(join(folder, 'shop.service'), '[Service]\nExecStart=/opt/shop/shop\nRestart=no\n');
  await writeFile(join(folder, 'shop.socket'), '[Socket]\nListenStream=127.0.0.1:8080\n');
  await writeFile(join(folder, 'shop.env'), 'SECRET=1\n');
  await writeFile(join(folder, 'routes.yml'), 'http: { routers: {} }\n');
});
afterAll(() => rm(folder, { recursive: true }));

const service: OwnService = {
  name: 'shop',
  files: [{ from: 'bin', to: '/opt/shop/bin' }],
  packages: [],
  start: '/opt/shop/bin/shop --listen {public} --share 50% --db {database}',
  environment: { GREETING: 'say "hi" for $5', GRACE: '{graceMs}' },
  public: '127.0.0.1:8080',
  listens: 'either',
  health: { ready: '/ready', live: '/live' },
  database: '/var/lib/shop/shop.db',
  release: { environment: { VERSION: '{version}' } },
  containers: [],
  requests: [
    { name: 'read', method: 'GET', path: '/', weight: 1, slotsOf100: 100, headers: [], bodyBytes: null, expect: [] },
  ],
  contents: 'a'.repeat(64),
  unitChanges: [],
};

interface Asked {
  readonly of?: OwnService;
  readonly changes?: readonly Change[];
  readonly variant?: string;
}

/** Path and text of each file that this experiment puts on the server. */
async function onServer(id: string, { of = service, ...options }: Asked = {}): Promise<Record<string, string>> {
  const experiment = resolveExperiment(await loadExperiment(id), { service: of, ...options });
  const files = await filesOfServer(experiment, { folder, labelOf, service: of });
  return textsOf(files);
}

function textsOf(files: readonly LabFile[]): Record<string, string> {
  return Object.fromEntries(
    files.map((file) => [file.path, 'linkTo' in file ? `-> ${file.linkTo}` : file.content.toString()]),
  );
}

const units = '/etc/systemd/system';

describe('a service that is described by its command line', () => {
  it('has a unit of its own, whose variables are in files beside it', async () => {
    const files = await onServer('E1');
    const unit = files[`${units}/shop.service`] ?? '';
    expect(unit).toContain(
      'ExecStart=/opt/shop/bin/shop --listen 127.0.0.1:8080 --share 50%% --db /var/lib/shop/shop.db\n',
    );
    expect(files['/etc/restart-proof/shop.experiment.env']).toBe('GREETING="say \\"hi\\" for \\$5"\nGRACE="50"\n');
    expect(files['/etc/restart-proof/shop.release.env']).toBe('VERSION="v0"\n');
    expect(files[`${units}/multi-user.target.wants/shop.service`]).toBe(`-> ${units}/shop.service`);
    expect(Object.keys(files).filter((path) => path.includes('demo') || path.includes('.socket'))).toEqual([]);
  });

  it('gets a socket where the experiment has one, and all of its settings', async () => {
    const files = await onServer('E5', { changes: [['unit.backlog', 16]] });
    expect(files[`${units}/shop.socket`]).toContain('ListenStream=127.0.0.1:8080\nService=shop.service\n');
    expect(files[`${units}/shop.socket.d/50-experiment.conf`]).toContain('Backlog=16\nFlushPending=no\n');
    expect(files[`${units}/sockets.target.wants/shop.socket`]).toBe(`-> ${units}/shop.socket`);
  });

  it('runs twice where two take turns, each at ports of its own', async () => {
    const files = await onServer('E6');
    expect(files[`${units}/shop-green.service`]).toContain('--listen 127.0.0.1:9080 ');
    expect(files[`${units}/multi-user.target.wants/shop-green.service`]).toBeUndefined();
  });

  it('without a proxy listens at every address', async () => {
    const files = await onServer('E1', { variant: 'direct' });
    expect(files[`${units}/shop.service`]).toContain('--listen 0.0.0.0:8080 ');
  });
});

describe('a unit of the user’s own', () => {
  const own: OwnService = {
    ...service,
    start: undefined,
    unit: 'shop.service',
    socket: 'shop.socket',
    env: 'shop.env',
    environment: { LISTEN: '{public}' },
  };

  it('is there as it is, and over it only what the experiment must change', async () => {
    const files = await onServer('E1', { of: own });
    expect(files[`${units}/shop.service`]).toBe('[Service]\nExecStart=/opt/shop/shop\nRestart=no\n');
    expect(files[`${units}/shop.service.d/50-experiment.conf`]).toBe(
      '# What experiment E1 sets.\n[Unit]\nStartLimitIntervalSec=10\nStartLimitBurst=50\n\n[Service]\n' +
        'EnvironmentFile=/etc/restart-proof/shop.env\nEnvironmentFile=/etc/restart-proof/shop.experiment.env\n' +
        'EnvironmentFile=-/etc/restart-proof/shop.release.env\n',
    );
  });

  it('has what a variant asks of the unit', async () => {
    const files = await onServer('E1', { of: own, variant: 'crash' });
    expect(files[`${units}/shop.service.d/50-experiment.conf`]).toContain('Restart=always\n');
  });

  it('has its own socket unit where the experiment has one, and nothing over it', async () => {
    const files = await onServer('E5', { of: own });
    expect(files[`${units}/shop.socket`]).toBe('[Socket]\nListenStream=127.0.0.1:8080\n');
    expect(files[`${units}/shop.socket.d/50-experiment.conf`]).toBeUndefined();
    expect(await onServer('E1', { of: own })).not.toHaveProperty([`${units}/shop.socket`]);
  });
});

it('copies files as they are: who may run them, and links', async () => {
  const files = await filesOfOwnPrograms({ service, folder, labelOf });
  expect(files.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    { path: '/opt/shop/bin/latest', linkTo: 'shop' },
    { path: '/opt/shop/bin/shop', content: Buffer.from('a program'), isProgram: true },
  ]);
});

it('points the link of a release to the first of its folders', async () => {
  const release = { link: '/opt/shop/current', folders: ['bin'] };
  const files = await filesOfOwnPrograms({ service: { ...service, files: [], release }, folder, labelOf });
  expect(textsOf(files)).toMatchObject({
    '/opt/shop/current': '-> /opt/shop/releases/bin',
    '/opt/shop/releases/bin/shop': 'a program',
  });
});

it('follows a link that is named, and leaves those in a folder', async () => {
  await symlink('bin', join(folder, 'now'));
  await symlink('/usr/bin/python3', join(folder, 'bin', 'python3'));
  const files = await filesOfOwnPrograms({ service: { ...service, files: ['now'] }, folder, labelOf });
  expect(textsOf(files)).toEqual({
    '/opt/shop/now/shop': 'a program',
    '/opt/shop/now/latest': '-> shop',
    '/opt/shop/now/python3': '-> /usr/bin/python3',
  });
});

describe('the proxy', () => {
  const routes = '/etc/traefik/dynamic/site.yml';
  const routesOf = async (id: string, of: OwnService): Promise<string> => {
    const experiment = resolveExperiment(await loadExperiment(id), { service: of });
    return textsOf(await filesOfEdge(experiment, { folder, labelOf, service: of }))[routes] ?? '';
  };

  it('asks the health path of the service, at the port that has it', async () => {
    const check = { path: '/ready', interval: '1000ms', timeout: '1000ms' };
    const balancer = { servers: [{ url: 'http://127.0.0.1:8080' }], healthCheck: check };
    expect(parse(await routesOf('E2', service))).toMatchObject({
      http: { routers: { shop: { rule: 'Host(`shop.test`)' } }, services: { shop: { loadBalancer: balancer } } },
    });
    const beside = { ...balancer, healthCheck: { ...check, port: 8081 } };
    expect(parse(await routesOf('E2', { ...service, internal: '127.0.0.1:8081' }))).toMatchObject({
      http: { services: { shop: { loadBalancer: beside } } },
    });
  });

  it('logs the Date of each answer, which its own have not, beside what it logs of the demo site', async () => {
    const experiment = resolveExperiment(await loadExperiment('E1'), { service });
    const settings = '/etc/traefik/traefik.yml';
    const text = textsOf(await filesOfEdge(experiment, { folder, service, labelOf }))[settings] ?? '';
    const plain = textsOf(await filesOfEdge(experiment))[settings] ?? '';
    expect(text).toBe(plain.replace('X-App-Version: keep\n', 'X-App-Version: keep\n        Date: keep\n'));
    expect(text).not.toBe(plain);
  });

  it('has the user’s own file as it is', async () => {
    expect(await routesOf('E1', { ...service, proxy: 'routes.yml' })).toBe('http: { routers: {} }\n');
  });
});

it.each([
  ['User=shop', 'u shop -\n'],
  ['User=shop\nGroup=www-data\nSupplementaryGroups=a b', 'g www-data -\ng a -\ng b -\nu shop -\n'],
  ['User = old\r\nUser=shop\r', 'u old -\nu shop -\n'],
  ['# User=shop\nUser=1000\nUser=%i', null],
  ['DynamicUser=yes\nUser=shop', null],
  ['ExecStart=/bin/x --User=shop', null],
])('a unit with %j needs the accounts %j', (lines, content) => {
  const files = accountsOf(`[Service]\n${lines}\n`);
  expect(files.map((file) => ('content' in file ? file.content : null))).toEqual(content === null ? [] : [content]);
});

it.each([
  ['E: Unable to locate package redis-srver', 'packages.1: there is no Debian package redis-srver.'],
  ["E: Package 'redis-srver' has no installation candidate", 'packages.1: there is no Debian package redis-srver.'],
  ["E: Version '99' for 'gunicorn' was not found", 'packages.0: gunicorn is not there in version 99.'],
  ['E: Unable to locate package systemd', null],
  ['W: Failed to fetch http://deb/x  Could not connect\nE: Unable to locate package redis-srver', null],
])('of %j says which package is wrong, and where it stands', (words, sentence) => {
  const failure = `The command returned a non-zero code: 100\nReading package lists...\n${words}`;
  const error = unknownPackage(failure, {
    packages: ['gunicorn=99', 'redis-srver'],
    labelOf: (at) => labelOf('packages', at),
  });
  expect(error?.message ?? null).toBe(sentence && `service.yaml:3:5: ${sentence}`);
  expect(error?.exitCode ?? 2).toBe(2);
});
