/** The doctor, and bad days of the engine and the user, on the real lab. None stops the engine itself. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine, runLabel } from '../lab/engine/engine.ts';
import { cli, cliWith, untilLoad, untilSaid } from './testing.ts';

const e5 = ['experiment', 'E5', '--restarts', '2', '--no-controls'];

const out = testFolder();

/** Runs that have a container in the engine. */
async function standing(): Promise<string[]> {
  const { docker } = await connectEngine();
  const containers = await docker.listContainers({ all: true, filters: { label: [runLabel] } });
  return [...new Set(containers.map(({ Labels }) => Labels[runLabel] ?? ''))];
}

/** The engine's socket behind a port of this machine, which can be taken away. */
async function engineBehindPort(): Promise<{ host: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect('/var/run/docker.sock');
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('doctor', () => {
  it('looks at everything, boots a server, and leaves nothing', async () => {
    const { stdout, stderr, exitCode } = await cli('doctor', '--json');
    expect(exitCode, stdout + stderr).toBe(0);
    const { canRun, findings } = JSON.parse(stdout) as {
      canRun: boolean;
      findings: { check: string; status: string; fix?: string }[];
    };
    expect(canRun).toBe(true);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        ...['node', 'font', 'disk', 'engine', 'architecture', 'labs', 'image', 'network', 'rights', 'systemd'],
        ...['somaxconn', 'tcp_abort_on_overflow', 'ip_local_port_range', 'sqlite', 'clocks', 'memory', 'cpu'],
      ]),
    );
    for (const { status, fix } of findings) expect(fix === undefined).toBe(status === 'ok');
    expect((await standing()).filter((run) => run.startsWith('doctor'))).toEqual([]);
  });

  it('says why an engine that is named does not answer, and exits 4', async () => {
    const { stdout, exitCode } = await cliWith({ DOCKER_HOST: 'tcp://127.0.0.1:1' }, 'doctor');
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^problem +engine +The engine of DOCKER_HOST \(tcp:\/\/127\.0\.0\.1:1\) does not answer/mu);
    expect(stdout).toMatch(/The lab cannot run here: 1 problem\.$/u);
  });
});

describe('a bad day', () => {
  it('engine lost in mid-run: inconclusive in a sentence, and clean finds what is left', async () => {
    const engine = await engineBehindPort();
    const before = await standing();
    const running = cliWith({ DOCKER_HOST: engine.host }, ...e5, '--out', out);
    await untilLoad(running);
    engine.close();
    const { stderr, exitCode } = await running;
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toMatch(/^error: The Docker engine stopped answering \(\w+\)\. \[engine-lost\]$/mu);
    expect(stderr).not.toMatch(/^ {4}at /mu);
    expect((await standing()).length).toBe(before.length + 1);
    expect((await cli('clean')).stdout).toMatch(/^Removed/u);
    expect(await standing()).toEqual(before);
  });

  it('SIGTERM: 143, what was recorded is kept, nothing is left', async () => {
    const before = await standing();
    const running = cli(...e5, '--out', out);
    await untilLoad(running);
    running.kill('SIGTERM');
    const { stderr, stdout, exitCode } = await running;
    expect(exitCode, stderr).toBe(143);
    expect(stdout).toMatch(/^aborted: /u);
    expect(await standing()).toEqual(before);
  });

  it('Ctrl-C twice: quits at once with 130, and says what takes the rest down', async () => {
    const before = await standing();
    const running = cli(...e5, '--out', out);
    await untilLoad(running);
    running.kill('SIGINT');
    await untilSaid(running, (text) => text.includes('SIGINT: stopping'));
    // Two that come at once are one: a terminal's Ctrl-C may reach the process twice.
    await sleep(400);
    running.kill('SIGINT');
    const { stderr, exitCode } = await running;
    expect(exitCode, stderr).toBe(130);
    expect(stderr).toMatch(/Quit at once\. .*`npm run clean`/u);
    await cli('clean');
    expect(await standing()).toEqual(before);
  });
});
