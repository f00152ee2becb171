/** What root in the lab's server can reach of the engine's host and of other containers: tried from inside. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { newRunId } from '../run/run-folder.ts';
import { connectEngine, type EngineFacts } from './engine/engine.ts';
import { exec, type ExecResult } from './engine/exec.ts';
import { labImageTag } from './image.ts';
import { bootLab, type Lab } from './lab.ts';
import { lockMeasuring, type MeasuringLock } from './measuring-lock.ts';

let docker: Docker;
let facts: EngineFacts;
let lock: MeasuringLock;
let lab: Lab;
/** A service of the engine's host, for whoever asks. */
let hostService: Server;

beforeAll(async () => {
  ({ docker, facts } = await connectEngine());
  hostService = createServer((socket) => socket.end('host'));
  await new Promise<void>((resolve) => hostService.listen(0, '0.0.0.0', resolve));
  const { signal } = new AbortController();
  const image = labImageTag(facts.architecture);
  // Without it the lab is taken for one that a killed process left, and taken down.
  lock = await lockMeasuring(docker, { image, command: 'a test of the cage', signal, onHeld: () => undefined });
  const runId = newRunId(new Date());
  lab = await bootLab(docker, {
    runId,
    experiment: e5,
    image,
    facts,
    connections: 64,
    keep: false,
    own: null,
    say: () => undefined,
    signal,
  });
});
afterAll(async () => {
  hostService.close();
  await lab.remove();
  await lock.release();
});

async function inside(command: string): Promise<ExecResult> {
  return exec(lab.server, ['sh', '-c', command]);
}

describe('root in the server', () => {
  it.each([
    ['mount', 'mount -t tmpfs none /mnt'],
    ['mount a controller of cgroup v1', 'mount -t cgroup -o freezer none /mnt'],
    ['mount the tree of cgroup v2', 'mount -t cgroup2 none /mnt'],
    ['enter other namespaces', 'unshare --cgroup true'],
    ['make devices', 'mknod /tmp/disk b 8 0'],
    ['change the kernel’s settings', 'echo x > /proc/sys/kernel/core_pattern'],
    ['change its addresses', 'ip address add 192.0.2.77/24 dev eth0'],
    ['change its routes', 'ip route add 198.51.100.0/24 dev eth0'],
  ])('cannot %s', async (_, command) => {
    expect((await inside(command)).exitCode).not.toBe(0);
  });

  it('has the rights that are named, and no process can gain others', async () => {
    const { stdout } = await inside('cat /proc/1/status');
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, SETPCAP 8, NET_BIND_SERVICE 10.
    expect(stdout).toMatch(/^CapBnd:\s0*5fb$/mu);
    expect(stdout).toMatch(/^NoNewPrivs:\s1$/mu);
    // 2: a filter of system calls is on.
    expect(stdout).toMatch(/^Seccomp:\s2$/mu);
  });

  it('sees its own part of the cgroup tree, and makes cgroups nowhere else', async () => {
    const { stdout } = await inside(
      "find /sys/fs/cgroup -name '[0-9a-f]*' -type d; find /sys/fs/cgroup -name 'docker-*.scope'",
    );
    for (const container of await docker.listContainers()) {
      if (container.Id !== lab.server.id && container.Labels['restart-proof.run'] === undefined) {
        expect(stdout).not.toContain(container.Id);
      }
    }
    expect(stdout).not.toContain(lab.client.id);
    expect(stdout).toContain(lab.server.id);
    const others =
      "find /sys/fs/cgroup -writable '(' -name 'freezer.state' -o -name release_agent -o -name devices.allow ')'";
    const { stdout: frozen } = await inside(others);
    expect(frozen).toBe('');
  });

  it('reaches the client’s lab network, and nothing of the host or beyond it', { timeout: 60_000 }, async () => {
    const { port } = hostService.address() as AddressInfo;
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const hosts = own.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
    const gateway = lab.serverAddress.replace(/\.\d+$/u, '.1');
    const targets = [...hosts, gateway, '192.0.2.1', '1.1.1.1'].map((host) => ({ host, port }));
    const ask = `const targets = ${JSON.stringify([...targets, { host: lab.serverAddress, port: lab.targetPort }])};
      for (const target of targets) {
        const socket = require('net').connect(target).setTimeout(1500);
        socket.on('connect', () => { console.log(target.host); socket.destroy(); });
        socket.on('timeout', () => socket.destroy()).on('error', () => {});
      }`;
    const { stdout } = await exec(lab.client, ['node', '-e', ask]);
    expect(stdout.trim()).toBe(lab.serverAddress);
    const { stdout: fromServer } = await exec(lab.server, ['node', '-e', ask]);
    expect(fromServer.trim()).toBe(lab.serverAddress);
  });

  it('ends alone when it takes more memory than the lab has', { timeout: 60_000 }, async () => {
    const { exitCode } = await inside('head -c 3G /dev/zero | tail > /dev/null');
    expect(exitCode).not.toBe(0);
    expect((await lab.server.inspect()).State.Running).toBe(true);
  });
});
