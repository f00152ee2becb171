/** Of several sites: what became of each, and whether that adds up to the whole. */
import { greatestOf, sumOf } from '../base/sums.ts';
import { boundOf } from '../verdict/citation.ts';
import type { SiteVerdict, Verdict } from '../verdict/record/verdict.ts';
import { countedByColumn, inMs, listOf, paragraphs, tableOf, type Column } from './format.ts';

/** A row for each site, and one for the whole; nothing where there is only one site. */
export function sitesSection(verdict: Verdict): string {
  const { perSite } = verdict;
  if (perSite === undefined) return '';
  const columns = columnsOf(verdict, perSite);
  const table = tableOf<SiteVerdict | 'all'>(
    [...perSite, 'all'],
    columns.map(({ head, ofSite, ofAll }) => [head, (row) => (row === 'all' ? ofAll : ofSite(row))]),
  );
  const counted = columns.map(({ head, ofSite, query }): Column<SiteVerdict> =>
    query === undefined ? [head, ofSite] : [head, ofSite, query],
  );
  return paragraphs(
    '## Site by site',
    'The slots of the schedule go to the sites in turn. The last line is the whole run’s: its counts are the sums, its ' +
      'longest times the longest of any site; only its silence is another, a time in which no site answered anybody.',
    table,
    countedByColumn(counted),
    'What is predicted of each:',
    listOf(formulaLines(perSite)),
  );
}

/** A line for each formula; sites of which the same is said share one. */
function formulaLines(sites: readonly SiteVerdict[]): string[] {
  const byFormula = Map.groupBy(sites, ({ predicted }) => predicted.formula);
  return [...byFormula].map(([formula, said]) => `${said.map(({ site }) => site).join(', ')}: ${formula}`);
}

interface SiteColumn {
  readonly head: string;
  readonly ofSite: (site: SiteVerdict) => string;
  readonly ofAll: string;
  readonly query?: Column<SiteVerdict>[2];
}

function columnsOf(verdict: Verdict, sites: readonly SiteVerdict[]): SiteColumn[] {
  const summed = (head: string, of: (site: SiteVerdict) => number, whole: number, query?: SiteColumn['query']) => ({
    head,
    ofSite: (site: SiteVerdict) => String(of(site)),
    ofAll: agreeing(String(whole), String(sumOf(sites, of))),
    query,
  });
  const longest = (
    head: string,
    of: (site: SiteVerdict) => number | null,
    whole: number | null,
    query?: SiteColumn['query'],
  ) => ({
    head,
    ofSite: (site: SiteVerdict) => inMs(of(site)),
    ofAll: agreeing(inMs(whole), inMs(greatestOf(sites.map(of)))),
    query,
  });
  return [
    { head: 'site', ofSite: ({ site }) => site, ofAll: '**all**' },
    summed('due', ({ due }) => due, verdict.due, 'site-outcomes'),
    summed('dropped', ({ dropped }) => dropped, verdict.dropped, 'site-outcomes'),
    {
      head: 'predicted',
      ofSite: ({ predicted }) => predicted.dropped?.toFixed(0) ?? '–',
      ofAll: verdict.predicted.dropped?.toFixed(0) ?? '–',
    },
    summed('restarts', ({ restarts }) => restarts, verdict.restarts),
    badColumn(verdict, sites),
    { head: 'longest silence', ofSite: ({ gapMs }) => inMs(gapMs), ofAll: inMs(verdict.gapMs), query: 'site-silence' },
    longest('longest wait', ({ longestWaitMs }) => longestWaitMs, verdict.longestWaitMs, 'site-outcomes'),
    longest('longest outage', ({ longestOutageMs }) => longestOutageMs, verdict.longestOutageMs),
    ...writeColumns(verdict, summed),
  ];
}

function badColumn(verdict: Verdict, sites: readonly SiteVerdict[]): SiteColumn {
  const sum = sumOf(sites, ({ badRestarts }) => badRestarts);
  const bound = (of: { badRestarts: number; restarts: number }): string => {
    const text = boundOf(of);
    return text === null ? '' : ` (${text})`;
  };
  return {
    head: 'bad restarts (exact 95 %)',
    ofSite: (site) => `${site.badRestarts}${bound(site)}`,
    ofAll: `${agreeing(String(verdict.badRestarts), String(sum))}${bound(verdict)}`,
  };
}

function writeColumns(
  { writes }: Verdict,
  summed: (head: string, of: (site: SiteVerdict) => number, whole: number, query: SiteColumn['query']) => SiteColumn,
): SiteColumn[] {
  if (writes === null) return [];
  return [
    summed('writes lost', (site) => site.writes?.lost ?? 0, writes.lost, 'site-writes'),
    summed('duplicated', (site) => site.writes?.duplicated ?? 0, writes.duplicated ?? 0, 'site-note-faults'),
    summed('misattributed', (site) => site.writes?.misattributed ?? 0, writes.misattributed, 'site-writes'),
  ];
}

/** The whole's figure; both where the sites come to another, which is a fault of the harness. */
function agreeing(whole: string, ofSites: string): string {
  return whole === ofSites ? whole : `**${whole}, but ${ofSites} of the sites**`;
}
