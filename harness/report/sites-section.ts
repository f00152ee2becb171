/** Of several sites: what became of each, and whether that adds up to the whole. */
import { greatestOf, sumOf } from '../base/sums.ts';
import { boundOf } from '../verdict/citation.ts';
import type { SiteVerdict, Verdict, WritesVerdict } from '../verdict/record/verdict.ts';
import { countedByColumn, inMs, listOf, paragraphs, tableOf, type Column } from './format.ts';

/** A row for each site, and one for the whole; nothing where there is only one site. */
export function sitesSection(verdict: Verdict): string {
  const { perSite } = verdict;
  if (perSite === undefined) return '';
  const columns = columnsOf(verdict, perSite);
  const table = tableOf<SiteVerdict | 'all'>(
    [...perSite, 'all'],
    columns.map(([[head, ofSite], ofAll]) => [head, (row) => (row === 'all' ? ofAll : ofSite(row))]),
  );
  return paragraphs(
    '## Site by site',
    'The slots of the schedule go to the sites in turn. The last line is the whole run’s: its counts are the sums, its ' +
      'longest times the longest of any site; only its silence is another, a time in which no site answered anybody.',
    table,
    countedByColumn(columns.map(([column]) => column)),
    'What is predicted of each:',
    listOf(formulaLines(perSite)),
  );
}

/** A line for each formula; sites of which the same is said share one. */
function formulaLines(sites: readonly SiteVerdict[]): string[] {
  const byFormula = Map.groupBy(sites, ({ predicted }) => predicted.formula);
  return [...byFormula].map(([formula, said]) => `${said.map(({ site }) => site).join(', ')}: ${formula}`);
}

type SiteColumn = readonly [column: Column<SiteVerdict>, ofAll: string | number | null];
type Query = Column<SiteVerdict>[2];

function columnsOf(verdict: Verdict, sites: readonly SiteVerdict[]): SiteColumn[] {
  const summed = (head: string, of: (site: SiteVerdict) => number, whole: number, query?: Query): SiteColumn => [
    [head, of, query],
    agreeing(String(whole), String(sumOf(sites, of))),
  ];
  const longest = (
    head: string,
    of: (site: SiteVerdict) => number | null,
    whole: number | null,
    query?: Query,
  ): SiteColumn => [[head, (site) => inMs(of(site)), query], agreeing(inMs(whole), inMs(greatestOf(sites.map(of))))];
  const badSum = sumOf(sites, ({ badRestarts }) => badRestarts);
  const predicted = (of: { predicted: { dropped: number | null } }) => of.predicted.dropped?.toFixed(0) ?? null;
  return [
    [['site', ({ site }) => site], '**all**'],
    summed('due', ({ due }) => due, verdict.due, 'site-outcomes'),
    summed('dropped', ({ dropped }) => dropped, verdict.dropped, 'site-outcomes'),
    [['predicted', predicted], predicted(verdict)],
    summed('restarts', ({ restarts }) => restarts, verdict.restarts),
    [
      ['bad restarts (exact 95 %)', (site) => `${site.badRestarts}${boundIn(site)}`],
      `${agreeing(String(verdict.badRestarts), String(badSum))}${boundIn(verdict)}`,
    ],
    [['longest silence', ({ gapMs }) => inMs(gapMs), 'site-silence'], inMs(verdict.gapMs)],
    longest('longest wait', ({ longestWaitMs }) => longestWaitMs, verdict.longestWaitMs, 'site-outcomes'),
    longest('longest outage', ({ longestOutageMs }) => longestOutageMs, verdict.longestOutageMs),
    ...(verdict.writes === null ? [] : writeColumns(verdict.writes, summed)),
  ];
}

function boundIn(of: { badRestarts: number; restarts: number }): string {
  const text = boundOf(of);
  return text === null ? '' : ` (${text})`;
}

function writeColumns(
  { lost, duplicated, misattributed }: WritesVerdict,
  summed: (head: string, of: (site: SiteVerdict) => number, whole: number, query: Query) => SiteColumn,
): SiteColumn[] {
  return [
    summed('writes lost', ({ writes }) => writes?.lost ?? 0, lost, 'site-writes'),
    summed('duplicated', ({ writes }) => writes?.duplicated ?? 0, duplicated ?? 0, 'site-note-faults'),
    summed('misattributed', ({ writes }) => writes?.misattributed ?? 0, misattributed, 'site-writes'),
  ];
}

/** The whole's figure; both where the sites come to another, which is a fault of the harness. */
function agreeing(whole: string, ofSites: string): string {
  return whole === ofSites ? whole : `**${whole}, but ${ofSites} of the sites**`;
}
