/** For tests: releases of two sites. */
import { expect } from 'vitest';
import type { Verdict } from '../verdict/record/verdict.ts';

/** One release of two sites. */
export const twoSites = ['--restarts', '1', '--set', 'sites.count=2'];

/** Whatever was measured, the sites add up to the whole. */
export function expectSum({ perSite = [], due, dropped, restarts, writes }: Verdict): void {
  const sum = (of: (site: (typeof perSite)[number]) => number): number =>
    perSite.reduce((all, one) => all + of(one), 0);
  expect([sum((site) => site.due), sum((site) => site.dropped), sum((site) => site.restarts)]).toEqual([
    due,
    dropped,
    restarts,
  ]);
  expect(sum((site) => site.writes?.acknowledged ?? 0)).toBe(writes?.acknowledged);
}
