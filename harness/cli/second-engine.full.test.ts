/**
 * The harness and the engine need not share a machine, a clock or a kind of cgroup: runs on a second engine with cgroup v2,
 * by a harness whose own clocks are elsewhere. Part of `npm run test:full`; takes two minutes.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine, runLabel } from '../lab/engine/engine.ts';
import { labImageTag } from '../lab/image.ts';
import { openRun } from '../run/run-door.ts';
import { expectPass, runInLab, startRun, underProgram } from './testing.ts';
import { canHaveSecondEngine, startSecondEngine, type SecondEngine } from './testing-second-engine.ts';

const faketime = '/usr/bin/faketime';
const hourMs = 3_600_000;
/** The runs take less. */
const runMs = 300_000;

describe.skipIf(!canHaveSecondEngine())('on a second engine, as root on Linux', () => {
  const out = testFolder();
  let second: SecondEngine;
  /** The folder of the first run, whose clocks are as they should be. */
  let plain: string;

  beforeAll(async () => {
    const { facts } = await connectEngine();
    second = await startSecondEngine(labImageTag(facts.architecture));
    process.env['DOCKER_HOST'] = second.host;
  });
  afterAll(async () => {
    delete process.env['DOCKER_HOST'];
    await second.stop();
    await rm(out, { recursive: true, force: true });
  });

  // Half the usual rate: on this engine the load generator has no more right to the CPU than what it measures.
  const e5 = ['E5', '--restarts', '2', '--seed', '7', '--rate', '100'];

  it('E5 passes where cgroups are v2 and delegated', { timeout: runMs }, async () => {
    const { docker, facts } = await connectEngine();
    expect(facts.cgroupVersion).toBe('2');
    const { verdict, folder, exitCode } = await runInLab(out, ...e5);
    plain = folder;
    expectPass({ verdict, exitCode }, { dropped: 0, restarts: 2 });
    expect(await docker.listContainers({ all: true, filters: { label: [runLabel] } })).toEqual([]);
  });

  it('an engine that is started again in mid-run: aborted, with what was recorded', { timeout: runMs }, async () => {
    const running = await startRun(out, 300, ...e5, '--set', 'deploy.leadMs=6000');
    await second.restart();
    const { verdict, exitCode, stderr } = await running.end;
    expect(exitCode).toBe(3);
    expect(verdict?.verdict).toBe('aborted');
    expect(verdict?.due).toBeGreaterThan(300);
    expect(verdict?.reasons.join('\n')).toContain('The engine was lost during the run');
    expect(stderr).not.toContain('error:');
    const { docker } = await connectEngine();
    expect(await docker.listContainers({ all: true, filters: { label: [runLabel] } })).toEqual([]);
    expect(await docker.listNetworks({ filters: { label: [runLabel] } })).toEqual([]);
  });

  /** faketime puts the wall clock an hour ahead, and the monotonic clock at the years since 1970. */
  it.skipIf(!existsSync(faketime))(
    'a harness whose clocks are off gives the same run, but for its name and date (needs Debian’s faketime)',
    { timeout: runMs },
    async () => {
      const began = Date.now();
      const { verdict, folder, exitCode } = await underProgram([faketime, '-f', '+1h'], () => runInLab(out, ...e5));
      const ended = Date.now();
      expectPass({ verdict, exitCode }, { dropped: 0, restarts: 2 });

      const record = (await openRun(folder)).record;
      if (record.kind !== 'experiment') throw new Error('not an experiment');
      // Name and date are the harness's …
      expect(Date.parse(record.startedAt) - hourMs).toBeGreaterThan(began);
      expect(Date.parse(record.startedAt) - hourMs).toBeLessThan(ended);
      expect(record.runId.slice(0, 11)).toBe(record.startedAt.replaceAll(/[-:]/gu, '').slice(0, 11));
      // … and every stamp is the engine's.
      const originMs = ((record.originMonotonicUs ?? 0) + (record.wallOffsetUs?.[0] ?? 0)) / 1_000;
      expect(originMs).toBeGreaterThan(began);
      expect(originMs).toBeLessThan(ended);

      const before = (await openRun(plain)).record;
      if (before.kind !== 'experiment') throw new Error('not an experiment');
      expect(record.deployBeginsMs).toEqual(before.deployBeginsMs);
      expect(record.fingerprint).toEqual(before.fingerprint);
    },
  );
});
