/** Mechanisms and ways to run on the real lab, beside those that every test run looks at. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import type { Pooled } from '../verdict/pool/pool.ts';
import { cliThatTells, runInLab } from './testing.ts';

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

  it('E6: an upgraded transaction meets SQLITE_BUSY at once, and nothing is lost or written twice', async () => {
    const { verdict } = await run('E6', '--variant', 'deferred', '--restarts', '1');
    expect(verdict.writes?.busy?.refused).toBeGreaterThan(0);
    expect(verdict.writes?.busy?.longestRefusalMs).toBeLessThan(100);
    expect(verdict.writes).toMatchObject({ lost: 0, duplicated: 0, misattributed: 0, unexpected: 0, integrity: 'ok' });
  });

  it('E8: a release that never gets the socket is given up while the other serves', async () => {
    const { verdict } = await run('E8', '--variant', 'sockets-left-out');
    expect(verdict.dropped).toBe(0);
    expect(verdict.expectations.find(({ what }) => what === 'deploys that were given up')).toMatchObject({
      measured: '1',
      met: true,
    });
  });

  it('E2 fails its expectation when the check, its mechanism, is taken away but its prediction kept', async () => {
    const { verdict, exitCode } = await run('E2', '--restarts', '1', '--set', 'proxy.check=null');
    // Without the check nobody answers 503: the window is that of E1.
    expect(exitCode).toBe(1);
    expect(verdict.expectations.find(({ what }) => what.startsWith('503'))).toMatchObject({ met: false });
  });

  it('E3: waits between tries save GET and POST alike', async () => {
    const { verdict } = await run('E3', '--variant', 'interval-250', '--restarts', '2');
    const inWindows = verdict.perRestart.reduce((total, { dueInOutage }) => total + (dueInOutage ?? 0), 0);
    expect(inWindows).toBeGreaterThan(100);
    expect(verdict.dropped).toBeLessThan(inWindows / 5);
  });

  it('E6: a proxy’s file that is truncated leaves no route for two seconds', async () => {
    const { verdict } = await run('E6', '--variant', 'in-place-rewrite', '--restarts', '1');
    expect(verdict.reasons).toEqual([]);
    expect(verdict.outcomes['status-404']).toBeGreaterThan(240);
    expect(verdict.outcomes['status-404']).toBeLessThan(560);
  });

  it('E17: a restart of the proxy drops what is due until it has its routes, with a socket all of it as 404', async () => {
    for (const [variant, hasRefused] of [
      [[], true],
      [['--variant', 'socket'], false],
    ] as const) {
      const { verdict } = await run('E17', ...variant, '--restarts', '2');
      expect(verdict).toMatchObject({ verdict: 'pass', restarts: 2, badRestarts: 2, unexplained: 0 });
      expect(verdict.outcomes['refused'] !== undefined).toBe(hasRefused);
      expect(verdict.outcomes['status-404']).toBeGreaterThan(0);
      expect(verdict.direct?.outcomes['refused'] ?? 0).toBe(0);
    }
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
});
