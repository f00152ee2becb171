/** The experiments’ mechanisms, their variants and the ways to run them, on the real lab. */
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { cli, runInLab } from './testing.ts';

const out = testFolder();
const run = (...args: string[]): ReturnType<typeof runInLab> => runInLab(out, ...args);

beforeAll(async () => {
  await connectEngine();
});

describe('mechanisms', () => {
  it('E8: some process accepts at every moment of a switch', async () => {
    const { verdict } = await run('E8', '--restarts', '1');
    expect(verdict).toMatchObject({ dropped: 0, longestOutageMs: 0, stale: 0 });
    expect(verdict.writes).toMatchObject({ lost: 0, duplicated: 0, misattributed: 0, unexpected: 0, integrity: 'ok' });
  });
});

describe('the check of the writes', () => {
  it('catches a site that answers before it commits, and one that applies a write twice', async () => {
    const liar = await run('E0', '--variant', 'planted-ack-before-commit', '--set', 'deploy.restarts=1');
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
});
