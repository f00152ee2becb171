/**
 * Engines whose daemon.json has other defaults: the lab sets its own, or says which one is in its way. Each is a second
 * engine of its own. Part of `npm run test:full`; takes two minutes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { labImageTag } from '../lab/image.ts';
import { cli, runInLab } from './testing.ts';
import { canHaveSecondEngine, startSecondEngine, type SecondEngine } from './testing-second-engine.ts';

const caseMs = 300_000;

describe.skipIf(!canHaveSecondEngine())('an engine with other defaults, as root on Linux', () => {
  const folder = testFolder();
  let engine: SecondEngine | undefined;
  let image: string;
  beforeAll(async () => {
    image = labImageTag((await connectEngine()).facts.architecture);
  });
  afterEach(async () => {
    delete process.env['DOCKER_HOST'];
    await engine?.stop();
    engine = undefined;
  });

  async function start(settings: { flags: string; prepare?: string }): Promise<void> {
    engine = await startSecondEngine(image, settings);
    process.env['DOCKER_HOST'] = engine.host;
  }

  /** A run with all of its records: each drop is explained by the proxy's log. */
  async function expectWholeRun(): Promise<void> {
    const { verdict } = await runInLab(folder, 'E1', '--restarts', '2', '--rate', '100');
    expect(verdict.verdict, verdict.reasons.join('\n')).not.toBe('aborted');
    expect(verdict.restarts).toBe(2);
    expect(verdict.dropped).toBeGreaterThan(0);
    expect(verdict.unexplained).toBe(0);
  }

  it('runs under defaults that would break a run', { timeout: caseMs }, async () => {
    const seccomp = join(folder, 'seccomp.json');
    const refused = { names: ['clone', 'clone3', 'fchmodat'], action: 'SCMP_ACT_ERRNO' };
    await writeFile(seccomp, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [refused] }));
    const limits = ['nofile=64:64', 'nproc=50:50', 'fsize=1000:1000', 'cpu=1:1'].map(
      (each) => `--default-ulimit ${each}`,
    );
    const flags = [
      ...['--init', '--no-new-privileges', '--icc=false', '--default-ipc-mode=shareable', '--default-shm-size=1m'],
      ...['--cgroup-parent=/elsewhere', '--default-cgroupns-mode=private', `--seccomp-profile=${seccomp}`],
      ...['--log-driver=json-file', '--log-opt max-size=20k', '--log-opt max-file=1', ...limits],
    ];
    await start({ flags: flags.join(' ') });
    await expectWholeRun();
  });

  it('runs under userns-remap, on an engine that keeps no logs', { timeout: caseMs }, async () => {
    const ids = join(folder, 'subid');
    await writeFile(ids, 'daemon:100000:65536\n');
    const prepare = ['/etc/subuid', '/etc/subgid'].map((file) => `mount --bind '${ids}' ${file}`).join('; ');
    await start({ flags: '--userns-remap=daemon --log-driver=none', prepare });
    await expectWholeRun();
  });

  it('names a setting that it cannot override, before anything is started', { timeout: caseMs }, async () => {
    await start({ flags: '--log-opt mode=non-blocking --log-opt max-buffer-size=4m' });
    const { exitCode, stderr } = await cli('experiment', 'E1', '--restarts', '2', '--no-controls', '--out', folder);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/^error: The engine's log-driver or log-opts is in the lab's way: .* \[engine-setting\]$/mu);
  });
});
