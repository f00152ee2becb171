/** A release by real Ansible, over ssh, on the real lab; a bad one: release.full.test.ts. */
import { expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { expectSum, twoSites } from './testing-release.ts';
import { runInLab } from './testing.ts';

const out = testFolder();

it('a release that switches each site from one process to the next drops nothing, at no site', async () => {
  const expected = ['--set', 'expect.bounds.1.min=2'];
  const { verdict } = await runInLab(out, 'E14', '--variant', 'recommended', ...twoSites, ...expected);
  expect(verdict).toMatchObject({ verdict: 'pass', dropped: 0, restarts: 2, longestOutageMs: 0, unexplained: 0 });
  expect(verdict.perRestart.map(({ site, deploy }) => `${site} ${deploy}`)).toEqual(['demo 1', 'demo2 1']);
  expectSum(verdict);
});
