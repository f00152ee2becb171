/** The playbook of containers/control, on a server that has nothing yet: real Ansible over ssh, and two sites. */
import type Docker from 'dockerode';
import { afterAll, beforeAll, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import { sitesOf } from '../experiment/units.ts';
import { newRunId } from '../run/run-folder.ts';
import { controlOptions, networkOptions, serverOptions } from './container-options.ts';
import { ensureControlImage } from './control-image.ts';
import { controlFiles, openControl, sshdFiles } from './control.ts';
import { connectEngine, ownerLabel, runLabel } from './engine/engine.ts';
import { exec } from './engine/exec.ts';
import { startContainer, type LabFile } from './engine/files.ts';
import { labImageTag } from './image.ts';
import { lockMeasuring, type MeasuringLock } from './measuring-lock.ts';
import { thisOwner } from './owner.ts';
import { removeRun } from './remove.ts';

const runId = newRunId(new Date());
const names = ['demo', 'demo2'] as const;
let docker: Docker;
let lock: MeasuringLock;
let server: Docker.Container;
let control: Docker.Container;

beforeAll(async () => {
  const engine = await connectEngine();
  docker = engine.docker;
  const { facts } = engine;
  const labImage = labImageTag(facts.architecture);
  const { signal } = new AbortController();
  lock = await lockMeasuring(docker, { image: labImage, command: 'a release', signal, onHeld: () => undefined });
  const Image = await ensureControlImage(docker, labImage);
  const Labels = { [runLabel]: runId, [ownerLabel]: thisOwner };
  const network = await docker.createNetwork(networkOptions(`restart-proof-${runId}-net`, Labels));
  const start = (options: Docker.ContainerCreateOptions, files: readonly LabFile[]) =>
    startContainer(docker, { ...options, Image, Labels }, files, signal);
  const asked = { networkId: network.id, proxyFiles: [], connections: 64, release: true };
  server = await start(serverOptions(facts, asked), await sshdFiles());
  const sites = sitesOf({ ...e1, sites: { ...e1.sites, count: names.length } });
  control = await start(controlOptions(facts, { serverId: server.id }), await controlFiles(sites));
  await openControl(server, control);
});
afterAll(async () => {
  await removeRun(docker, runId);
  await lock.release();
});

interface Event {
  readonly kind: string;
  readonly task?: string;
  readonly host?: string;
  readonly changed?: boolean;
  readonly failed?: boolean;
  readonly message?: string;
}

/** Runs the playbook. @returns its exit code and, of each kind, its tasks as `host: task` */
async function play(variables: Readonly<Record<string, unknown>>, ...options: readonly string[]) {
  const command = [
    'ansible-playbook',
    'site.yml',
    '-e',
    JSON.stringify({ wait_for_ready: true, ...variables }),
    ...options,
  ];
  const { exitCode, stdout } = await exec(control, [
    'sh',
    '-c',
    'cd /opt/containers/control && ANSIBLE_STDOUT_CALLBACK=events "$@"',
    'sh',
    ...command,
  ]);
  const ends = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
    .filter(({ kind }) => kind === 'task-end');
  const those = (wanted: (event: Event) => boolean | undefined): string[] =>
    ends.filter((event) => wanted(event)).map(({ host, task }) => `${host}: ${task}`);
  return { exitCode, changed: those(({ changed }) => changed), failed: those(({ failed }) => failed), ends };
}

/** What runs and what it runs: the main process of each site, and the release that the link names. */
async function state(): Promise<{ processes: string[]; link: string }> {
  const { stdout } = await exec(server, ['systemctl', 'show', '-P', 'MainPID', ...names.map((name) => `site@${name}`)]);
  const link = await exec(server, ['readlink', '/opt/site']);
  return { processes: stdout.trim().split(/\s+/u), link: link.stdout.trim() };
}

const restarts = names.map((name) => `${name}: Restart service`);

it('tells of an empty server what it would do, does it, and then has nothing to do', async () => {
  const wiring = 'both';
  expect(await play({ wiring }, '--check')).toMatchObject({ exitCode: 0, failed: [] });
  expect((await exec(server, ['ls', '/opt'])).stdout).toBe('');
  const first = await play({ wiring });
  expect(first).toMatchObject({ exitCode: 0, failed: [] });
  expect(first.changed).toEqual(expect.arrayContaining(restarts));
  const before = await state();
  expect(before.link).toBe('/opt/releases/v0');
  expect(before.processes).not.toContain('0');
  expect(await play({ wiring })).toMatchObject({ exitCode: 0, changed: [] });
  expect(await state()).toEqual(before);
});

it('replaces the program at the path that sites start from, and restarts each site', async () => {
  const before = await state();
  const release = await play({ wiring: 'both', version: 'v1' });
  expect(release.exitCode).toBe(0);
  expect(release.changed).toEqual(expect.arrayContaining(restarts));
  const after = await state();
  expect(after.link).toBe('/opt/releases/v1');
  for (const process of after.processes) expect(before.processes).not.toContain(process);
});

it.each(['crash-at-start', 'never-ready'])(
  'stops a bad release at the first site, and goes back: %s',
  async (fault) => {
    const rolling = { wiring: 'both', rolling: 1 };
    const before = await state();
    const bad = await play({ ...rolling, version: `v-${fault}`, program_fault: fault, ready_within: 2 });
    expect(bad).toMatchObject({ exitCode: 2, failed: ['demo: Wait until ready'] });
    expect(bad.ends.at(-1)?.message).toContain('was not ready within 2 s');
    const stopped = await state();
    expect(stopped.processes[1]).toBe(before.processes[1]);
    // What crashes now is not to start the bad program.
    expect(stopped.link).toBe('/opt/releases/v1');
    const back = await play({ ...rolling, version: 'v1' });
    expect(back).toMatchObject({ exitCode: 0, failed: [] });
    expect(back.changed).toContain('demo: Restart service');
    expect(back.changed).not.toContain('demo2: Restart service');
    expect((await state()).processes[1]).toBe(before.processes[1]);
  },
);
