/** Releases by real Ansible, over ssh, on the real lab: all sites, and one that is bad. */
import { expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { runInLab } from './testing.ts';

const out = testFolder();
const twoSites = ['--restarts', '1', '--set', 'sites.count=2'];

/** Whatever was measured, the sites add up to the whole. */
function expectSum({ perSite = [], due, dropped, restarts, writes }: Verdict): void {
  const sum = (of: (site: (typeof perSite)[number]) => number): number =>
    perSite.reduce((all, one) => all + of(one), 0);
  expect([sum((site) => site.due), sum((site) => site.dropped), sum((site) => site.restarts)]).toEqual([
    due,
    dropped,
    restarts,
  ]);
  expect(sum((site) => site.writes?.acknowledged ?? 0)).toBe(writes?.acknowledged);
}

it('a release that switches each site from one process to the next drops nothing, at no site', async () => {
  const expected = ['--set', 'expect.bounds.1.min=2'];
  const { verdict } = await runInLab(out, 'E14', '--variant', 'recommended', ...twoSites, ...expected);
  expect(verdict).toMatchObject({ verdict: 'pass', dropped: 0, restarts: 2, longestOutageMs: 0, unexplained: 0 });
  expect(verdict.perRestart.map(({ site, deploy }) => `${site} ${deploy}`)).toEqual(['demo 1', 'demo2 1']);
  expectSum(verdict);
});

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
