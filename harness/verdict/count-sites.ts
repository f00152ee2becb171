/** What became of each of several sites, from the queries; the same words as for all of them. */
import { exactInterval } from '../base/interval.ts';
import type { Ask } from './ledger-summary.ts';
import type { Prediction } from './predict/prediction.ts';
import type { RestartVerdict, SiteVerdict } from './record/verdict.ts';

/** A site, as far as the ledger and the database tell; its restarts are added by {@link withRestarts}. */
export type SiteCounts = Omit<
  SiteVerdict,
  'restarts' | 'badRestarts' | 'badRestartsUpper95' | 'longestOutageMs' | 'predicted'
>;

interface Outcomes {
  readonly site: string;
  readonly method: string;
  readonly outcome: string;
  readonly due: number;
  readonly sent: number;
  readonly dropped: boolean;
  readonly longestWaitUs: number | null;
}

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
    const silenceUs = of(silences, site)[0]?.silenceUs ?? null;
    const waitsUs = own.flatMap(({ longestWaitUs }) => longestWaitUs ?? []);
    const methods = [...new Set(own.map(({ method }) => method))];
    return {
      site,
      ...tallyOf(own),
      byMethod: Object.fromEntries(methods.map((name) => [name, tallyOf(own.filter(({ method }) => method === name))])),
      atRisk: { due: risk?.due ?? 0, dropped: risk?.dropped ?? 0 },
      gapMs: silenceUs === null ? null : toMs(silenceUs),
      longestWaitMs: waitsUs.length === 0 ? null : toMs(Math.max(...waitsUs)),
      writes: hasNotes ? { ...writesOf(of(writes, site)), ...notesOf(of(notes, site)[0]) } : null,
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
    const restarts = own.filter(({ voided, droppedInRestart }) => !voided || droppedInRestart > 0).length;
    const badRestarts = own.filter(({ droppedInRestart }) => droppedInRestart > 0).length;
    const outagesMs = own.flatMap(({ outageMs }) => outageMs ?? []);
    const { dropped = null, formula = 'none' } = predicted.find(({ site }) => site === counts.site) ?? {};
    return {
      ...counts,
      restarts,
      badRestarts,
      badRestartsUpper95: exactInterval(badRestarts, restarts)?.[1] ?? null,
      longestOutageMs: outagesMs.length === 0 ? null : Math.max(...outagesMs),
      predicted: { dropped: dropped === null ? null : Math.round(dropped * 1000) / 1000, formula },
    };
  });
}

function tallyOf(rows: readonly Outcomes[]): Pick<SiteCounts, 'due' | 'sent' | 'dropped' | 'outcomes'> {
  const outcomes: Record<string, number> = {};
  for (const { outcome, due } of rows) outcomes[outcome] = (outcomes[outcome] ?? 0) + due;
  return {
    due: rows.reduce((sum, { due }) => sum + due, 0),
    sent: rows.reduce((sum, { sent }) => sum + sent, 0),
    dropped: rows.reduce((sum, { due, dropped }) => sum + (dropped ? due : 0), 0),
    outcomes,
  };
}

function writesOf(rows: readonly { known: string; fate: string; writes: number }[]) {
  const sumOf = (wanted: (row: { known: string; fate: string }) => boolean): number =>
    rows.filter(wanted).reduce((sum, { writes }) => sum + writes, 0);
  return {
    acknowledged: sumOf(({ known }) => known === 'acknowledged'),
    failed: sumOf(({ known }) => known === 'failed'),
    indeterminate: sumOf(({ known }) => known === 'indeterminate'),
    lost: sumOf(({ fate }) => fate === 'lost'),
    early: sumOf(({ fate }) => fate === 'early'),
    misattributed: sumOf(({ fate }) => fate === 'misattributed'),
  };
}

function notesOf(counts: { duplicated: number; unexpected: number } | undefined) {
  return { duplicated: counts?.duplicated ?? 0, unexpected: counts?.unexpected ?? 0 };
}

function toMs(us: number): number {
  return Math.round(us) / 1000;
}
