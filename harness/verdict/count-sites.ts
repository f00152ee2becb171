/** What became of each of several sites, from the queries; the same words as for all of them. */
import { exactInterval } from '../base/interval.ts';
import { greatestOf, sumOf, thousandth, toMs } from '../base/sums.ts';
import { talliesBy, tallyOf, type Ask, type Cell } from './ledger-summary.ts';
import type { Prediction } from './predict/prediction.ts';
import { dropsByRestart, type RestartVerdict, type SiteVerdict } from './record/verdict.ts';

/** A site, as far as the ledger and the database tell; its restarts are added by {@link withRestarts}. */
export type SiteCounts = Omit<
  SiteVerdict,
  'restarts' | 'badRestarts' | 'badRestartsUpper95' | 'longestOutageMs' | 'predicted'
>;

type Outcomes = Cell & { readonly site: string; readonly method: string; readonly longestWaitUs: number | null };

/**
 * Counts them, in their own order.
 * @param hasNotes were the databases read?
 */
export async function countSites(ask: Ask, sites: readonly string[], hasNotes: boolean): Promise<SiteCounts[]> {
  const outcomes = await ask<Outcomes>('site-outcomes');
  const atRisk = await ask<{ site: string; due: number; dropped: number }>('site-at-risk');
  const silences = await ask<{ site: string; silenceUs: number | null }>('site-silence');
  const writes = await ask<{ site: string; known: string; fate: string; writes: number }>('site-writes');
  const notes = await ask<{ site: string; duplicated: number; unexpected: number }>('site-note-faults');
  const of = <T extends { site: string }>(rows: readonly T[], site: string): T[] =>
    rows.filter((row) => row.site === site);
  return sites.map((site) => {
    const own = of(outcomes, site);
    const [risk] = of(atRisk, site);
    const [written = { duplicated: 0, unexpected: 0 }] = of(notes, site);
    return {
      site,
      ...tallyOf(own),
      byMethod: talliesBy(own, ({ method }) => method),
      atRisk: { due: risk?.due ?? 0, dropped: risk?.dropped ?? 0 },
      gapMs: toMs(of(silences, site)[0]?.silenceUs ?? null),
      longestWaitMs: toMs(greatestOf(own.map(({ longestWaitUs }) => longestWaitUs))),
      writes: hasNotes
        ? { ...writesOf(of(writes, site)), duplicated: written.duplicated, unexpected: written.unexpected }
        : null,
    };
  });
}

/** With what their restarts come to, and what is predicted of them. */
export function withRestarts(
  sites: readonly SiteCounts[],
  perRestart: readonly RestartVerdict[],
  predicted: Prediction['perSite'] = [],
): SiteVerdict[] {
  return sites.map((counts) => {
    const own = perRestart.filter(({ site }) => site === counts.site);
    const drops = dropsByRestart({ perRestart: own });
    const [restarts, badRestarts] = [drops.length, drops.filter((dropped) => dropped > 0).length];
    const { dropped = null, formula = 'none' } = predicted.find(({ site }) => site === counts.site) ?? {};
    return {
      ...counts,
      restarts,
      badRestarts,
      badRestartsUpper95: exactInterval(badRestarts, restarts)?.[1] ?? null,
      longestOutageMs: greatestOf(own.map(({ outageMs }) => outageMs)),
      predicted: { dropped: dropped === null ? null : thousandth(dropped), formula },
    };
  });
}

function writesOf(rows: readonly { known: string; fate: string; writes: number }[]) {
  const count = (word: 'known' | 'fate', wanted: string): number =>
    sumOf(rows, (row) => (row[word] === wanted ? row.writes : 0));
  return {
    acknowledged: count('known', 'acknowledged'),
    failed: count('known', 'failed'),
    indeterminate: count('known', 'indeterminate'),
    lost: count('fate', 'lost'),
    early: count('fate', 'early'),
    misattributed: count('fate', 'misattributed'),
  };
}
