/** `measure --journal` beside a real systemd: that of a container of the lab's image, in the network of this machine. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serverOptions } from '../lab/container-options.ts';
import { connectEngine, ownerLabel, runLabel } from '../lab/engine/engine.ts';
import { exec } from '../lab/engine/exec.ts';
import { putFiles } from '../lab/engine/files.ts';
import { labImageTag } from '../lab/image.ts';
import { lockMeasuring, type MeasuringLock } from '../lab/measuring-lock.ts';
import { thisOwner } from '../lab/owner.ts';
import { newRunId, runFiles } from '../run/run-folder.ts';
import { type Measured, measuring } from './testing-measure.ts';

const { at, measure, measured } = measuring();

const port = 18_997;
const secret = 'a word of the service';
let lock: MeasuringLock;
let server: Docker.Container;

/** It dies of SIGTERM as it stands; at /die it kills itself. */
const program = `import { createServer } from 'node:http';
console.log('${secret}');
createServer((request, response) => {
  if (request.url === '/die') process.kill(process.pid, 'SIGKILL');
  setTimeout(() => response.end('ok'), 20);
}).listen(${port}, '127.0.0.1');
`;
const unit = `[Unit]
Description=The shop
[Service]
ExecStart=/usr/local/bin/node /srv/shop.mjs
Environment=PASSWORD="${secret}
Restart=on-failure
RestartSec=200ms
`;

beforeAll(async () => {
  const { docker, facts } = await connectEngine();
  const { signal } = new AbortController();
  const image = labImageTag(facts.architecture);
  lock = await lockMeasuring(docker, { image, command: 'a test of the journal', signal, onHeld: () => undefined });
  const options = serverOptions(facts, { networkId: 'host', proxyFiles: [], connections: 256 });
  server = await docker.createContainer({
    ...options,
    Image: image,
    Labels: { [runLabel]: newRunId(new Date()), [ownerLabel]: thisOwner },
  });
  await server.start();
  await putFiles(server, [
    { path: '/srv/shop.mjs', content: program },
    { path: '/etc/systemd/system/shop.service', content: unit },
  ]);
  await vi.waitFor(async () => {
    const { exitCode, stderr } = await exec(server, ['systemctl', 'start', 'shop']);
    expect(`${exitCode} ${stderr}`).toBe('0 ');
  }, 20_000);
  // What a user has on the machine itself.
  mkdirSync(at('bin'));
  for (const name of ['journalctl', 'systemctl']) {
    const path = join(at('bin'), name);
    writeFileSync(path, `#!/bin/sh\nexec docker exec ${server.id} ${name} "$@"\n`);
    chmodSync(path, 0o755);
  }
});
afterAll(async () => {
  await server.remove({ force: true });
  await lock.release();
});

const url = `http://127.0.0.1:${port}/`;
const env = { PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` };
const restarted = (command: string): Promise<Measured> =>
  measured({ url, rate: 200, settle: '1s', journal: ['shop'], while: command }, env);

describe('the journal of a real systemd', () => {
  it('explains every drop of a restart, and keeps no word of the service', async () => {
    const { verdict, textOf } = await restarted('systemctl restart shop');
    expect(verdict).toMatchObject({ badRestarts: 1, unexplained: 0 });
    const told = Object.entries(verdict.reconciliation.causes);
    expect(told.reduce((sum, [, count]) => sum + count, 0)).toBe(verdict.dropped);
    expect(told.every(([cause]) => cause.includes('shop.service'))).toBe(true);
    // Node needs tens of milliseconds until it listens: most are refused then.
    expect(
      verdict.reconciliation.causes['refused: nobody listened; shop.service had started, and did not listen yet'],
    ).toBeGreaterThan(3);
    const kinds = verdict.journal?.events.map(({ kind }) => kind);
    expect(kinds).toEqual(['sigterm', 'main-exited', 'unit-stopped', 'start', 'unit-started']);
    const [phases] = verdict.journal?.phases ?? [];
    expect(phases?.drainingMs).toBeLessThan(200);
    expect(phases?.downMs).toBeLessThan(200);
    for (const name of [runFiles.run, runFiles.journal, runFiles.timeline, runFiles.report, runFiles.verdict]) {
      expect(textOf(name)).not.toContain(secret);
    }
    expect(textOf(runFiles.report)).toMatch(/SIGTERM \(inferred\) *\| shop\.service: Stopping/u);
  });

  it('tells a crash with its signal, and that systemd started the service again', async () => {
    const { verdict } = await restarted(`curl -s ${url}die || sleep 1`);
    expect(verdict).toMatchObject({ badRestarts: 1, unexplained: 0, journal: { restartsByItself: 1 } });
    expect(verdict.journal?.events[0]?.said).toContain('code=killed, status=9/KILL');
    // For 200 ms there is no process: forty slots, less those at the edges.
    expect(verdict.reconciliation.causes['refused: nobody listened; shop.service had no process']).toBeGreaterThan(35);
  });

  it('of a unit that systemd does not know is refused before anything is sent', async () => {
    const { stderr, exitCode } = await measure({ url, journal: ['shopp'] }, env);
    expect(stderr).toContain('systemd knows no unit shopp.service');
    expect(exitCode).toBe(2);
  });
});
