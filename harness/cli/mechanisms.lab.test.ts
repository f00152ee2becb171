/** The experiments’ mechanisms, their variants and the ways to run them, on the real lab. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine.ts';
import type { Pooled } from '../verdict/pool.ts';
import { cli, cliThatTells, runInLab } from './testing.ts';

const out = testFolder();
const run = (...args: string[]): ReturnType<typeof runInLab> => runInLab(out, ...args);

beforeAll(async () => {
  await connectEngine();
});

describe('mechanisms', () => {
  it('E2: the check makes an outage of 503 of the drain, as long as predicted', async () => {
    const { verdict } = await run('E2', '--restarts', '1');
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({ verdict: 'pass', restarts: 1, badRestarts: 1 });
    const [low, high] = verdict.predicted.range ?? [0, 0];
    expect(verdict.outcomes['status-503']).toBeGreaterThan(0.9 * low);
    expect(verdict.outcomes['status-503']).toBeLessThan(1.1 * high);
  });

  it('E3: waits between tries save GET and POST alike', async () => {
    const { verdict } = await run('E3', '--variant', 'interval-250', '--restarts', '2');
    const inWindows = verdict.perRestart.reduce((total, { dueInOutage }) => total + (dueInOutage ?? 0), 0);
    expect(inWindows).toBeGreaterThan(100);
    expect(verdict.dropped).toBeLessThan(inWindows / 5);
  });

  it('E6: an upgraded transaction meets SQLITE_BUSY at once, and nothing is lost or written twice', async () => {
    const { verdict } = await run('E6', '--variant', 'deferred', '--restarts', '1');
    expect(verdict.writes?.busy.refused).toBeGreaterThan(0);
    expect(verdict.writes?.busy.longestRefusalMs).toBeLessThan(100);
    expect(verdict.writes).toMatchObject({ lost: 0, duplicated: 0, misattributed: 0, unexpected: 0, integrity: 'ok' });
  });

  it('E8: some process accepts at every moment of a switch, and a bad release is given up while the other serves', async () => {
    const { verdict } = await run('E8', '--restarts', '2');
    expect(verdict).toMatchObject({ dropped: 0, longestOutageMs: 0, stale: 0 });
    expect(verdict.writes).toMatchObject({ lost: 0, duplicated: 0, misattributed: 0, unexpected: 0, integrity: 'ok' });
    const unbound = await run('E8', '--variant', 'sockets-left-out');
    expect(unbound.verdict.dropped).toBe(0);
    expect(unbound.verdict.expectations.find(({ what }) => what === 'deploys that were given up')).toMatchObject({
      measured: '1',
      met: true,
    });
  });
});

describe('the check of the writes', () => {
  it('catches a site that answers before it commits, and one that applies a write twice', async () => {
    const liar = await run('E0', '--variant', 'planted-ack-before-commit');
    expect(liar.verdict).toMatchObject({ verdict: 'pass' });
    expect(liar.verdict.writes?.lost).toBeGreaterThan(0);
    // What was not lost was written 200 ms after it was acknowledged.
    expect(liar.verdict.writes?.early).toBeGreaterThan(100);
    const twice = await run('E0', '--variant', 'planted-apply-twice');
    expect(twice.verdict.writes).toMatchObject({ lost: 0, early: 0, misattributed: 0 });
    expect(twice.verdict.writes?.duplicated).toBe(twice.verdict.writes?.acknowledged);
  });
});

describe('ways to run', () => {
  it('--trials adds up restarts over fresh labs', async () => {
    const asked = ['experiment', 'E1', '--trials', '2', '--restarts', '1', '--no-controls'];
    const { stdout, exitCode } = await cliThatTells(out, ...asked);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('2 of 2 restarts dropped something (15.8 % to 100.0 %, exact 95 %)');
  });

  it('--sweep gives one table and one chart, in which each cell drops what its warm-up makes of it', async () => {
    const args = ['--sweep', 'app.warmupMs=100,900', '--restarts', '1', '--no-controls'];
    const { stdout, stderr, exitCode } = await cliThatTells(out, 'experiment', 'E1', ...args);
    expect(exitCode, stderr).toBe(0);
    const folder = join(out, 'sweeps', 'latest');
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['sweep.md', 'sweep.png', 'sweep.svg', 'sweep.json']));
    const cells = JSON.parse(await readFile(join(folder, 'sweep.json'), 'utf8')) as { pooled: Pooled }[];
    expect(stdout).toContain('| app.warmupMs |');
    // At 200 a second; what a busy machine adds to a window is part of what is predicted of it.
    for (const [index, warmUpMs] of [100, 900].entries()) {
      const { dropped = 0, predictedPerRestart } = cells[index]?.pooled ?? {};
      expect(dropped).toBeGreaterThan(0.95 * (warmUpMs / 1000) * 200);
      expect(Math.abs(dropped - (predictedPerRestart ?? 0))).toBeLessThan(0.3 * dropped);
    }
  });

  it('--dry-run prints units, proxy file and schedule, and starts nothing', async () => {
    const { stdout, exitCode } = await cli('experiment', 'E6', '--dry-run', '--seed', '1');
    expect(exitCode).toBe(0);
    for (const text of [
      'site@demo-green.service.d/50-experiment.conf',
      'weighted:',
      'swap 3 at ',
      'slot 0  due 0.0 ms',
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it.each([
    [['E1', '--variant', 'nonsense'], 'E1 has no variant "nonsense"'],
    [['E1', '--set', 'app.warmUpMs=1'], 'warmUpMs'],
    [['E1', '--set', 'app.warmupMs'], 'takes path=value'],
    [['E1', '--sweep', 'app.warmupMs=1'], '--sweep takes path=value,value'],
    [['E1', '--trials', '0'], '--trials takes a whole number'],
    [['E9'], 'There is no experiment "E9"'],
    [['all', '--keep'], '--keep is for a single one'],
  ])('%j is refused with a sentence and exit code 2', async (args, sentence) => {
    const { stderr, exitCode } = await cli('experiment', ...args);
    expect(stderr).toContain(sentence);
    expect(exitCode).toBe(2);
  });
});
