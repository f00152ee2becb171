/** A bad release by real Ansible, over ssh, on the real lab. */
import { expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { expectSum, twoSites } from './testing-release.ts';
import { runInLab } from './testing.ts';

const out = testFolder();

it('a bad release stops at the first site, and the roll-back restores it', async () => {
  const { verdict } = await runInLab(out, 'E16', ...twoSites);
  expect(verdict.reasons).toEqual([]);
  expect(verdict).toMatchObject({ verdict: 'pass', restarts: 1, badRestarts: 1, unexplained: 0 });
  expect(verdict.perSite?.map(({ dropped }) => dropped > 0)).toEqual([true, false]);
  const [restart] = verdict.perRestart;
  expect(restart?.restoredAfterMs).toBeGreaterThan(0);
  expect(restart?.rollBackUs).toBeGreaterThan(restart?.acceptStoppedUs ?? Infinity);
  expectSum(verdict);
});
