/** reports/README.md: the experiments side by side, a row each. Pure. */
import { fencedText, markdownText, shownLine, wordedBy } from '../base/foreign-text.ts';
import { subjectOf, type RunRecord } from '../run/run-record.ts';
import { boundText, noRestartText } from '../verdict/citation.ts';
import { isConclusive, type Verdict } from '../verdict/record/verdict.ts';
import type { SideBySideBar } from './charts/side-by-side-chart.ts';
import { inMs, listOf, paragraphs, tableOf, type Column } from './format.ts';

/** An experiment of the index. */
export interface SideBySideEntry {
  readonly id: string;
  readonly title: string;
  readonly question: string;
  /** null where there is no run of it. */
  readonly run: {
    readonly record: RunRecord;
    readonly verdict: Verdict;
    /** The report, from the index's folder. */
    readonly reportPath: string;
    readonly asWritten: boolean;
    readonly citable: boolean;
  } | null;
}

/** The index's text. Paths of chart and glossary are from the index's folder. */
export function sideBySideMarkdown(
  of: readonly SideBySideEntry[],
  { chartPath, glossaryPath }: { chartPath: string; glossaryPath: string },
): string {
  const entries = of.map(wordedEntry);
  const made = entries.flatMap(({ run }) => run ?? []);
  const text = paragraphs(
    '# The experiments side by side',
    'Made by `npm run index`, from one run of each: the newest that may be cited and was asked for as its file stands. ' +
      'What may not be cited is named below the table; a run that is inconclusive, or was cut short, has no figures here. ' +
      '`npm run verify -- RUN` says of each whether its line holds.',
    `![What a restart drops, and how long an answer waits](${chartPath})`,
    tableOf(entries, columns),
    '**Bad restarts** are those that dropped something, with the exact bound on their share; **dropped** is a due request ' +
      'without a complete, expected answer, and nothing is ever sent twice; **predicted** is what timeline and options ' +
      'alone make of it; the **wait** is from the due time to an ok answer, less what the request itself asked for; the ' +
      '**gap** is the longest time in which nobody was answered; a write is **lost** when it was acknowledged and is not ' +
      'in the database; **unexplained** drops are those that no witness but the client shows. Every word is in the ' +
      `[glossary](${glossaryPath}).`,
    listOf(doubts(entries)),
    labText(made.map(({ record }) => record)),
    made.length > 0 && `\`\`\`\n${made.map(({ verdict }) => verdict.citation).join('\n')}\n\`\`\``,
  );
  return `${text}\n`;
}

function wordedEntry({ run, ...own }: SideBySideEntry): SideBySideEntry {
  const entry = wordedBy(own, markdownText);
  if (run === null) return { ...entry, run };
  const { reportPath, ...files } = run;
  const worded = wordedBy(files, markdownText);
  const verdict = { ...worded.verdict, citation: fencedText(shownLine(run.verdict.citation)) };
  return { ...entry, run: { ...worded, verdict, reportPath: linkPath(reportPath) } };
}

function linkPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/').replaceAll('(', '%28').replaceAll(')', '%29');
}

/** The bars of the chart: experiments that have a run which says something. */
export function sideBySideBars(entries: readonly SideBySideEntry[]): SideBySideBar[] {
  return entries.flatMap(({ id, title, run }) => {
    if (run === null || !isConclusive(run.verdict)) return [];
    const { dropped, predicted, longestWaitMs } = run.verdict;
    const each = (total: number): number => total / Math.max(1, run.verdict.restarts);
    return [
      {
        label: shownLine(`${id} ${title}`),
        dropped: each(dropped),
        predicted: predicted.dropped === null ? null : each(predicted.dropped),
        longestWaitMs,
      },
    ];
  });
}

/** A column of figures; a dash where there is no run that says something. */
function figure(head: string, cell: (verdict: Verdict) => string | number | null): Column<SideBySideEntry> {
  return [head, ({ run }) => (run === null || !isConclusive(run.verdict) ? null : cell(run.verdict))];
}

function eachRestart(total: number | null, { restarts }: Verdict): string | null {
  return total === null || restarts === 0 ? null : (total / restarts).toFixed(1);
}

const columns: readonly Column<SideBySideEntry>[] = [
  ['experiment', ({ id, title, run }) => (run === null ? `${id} ${title}` : `[${id} ${title}](${run.reportPath})`)],
  ['verdict', ({ run }) => run?.verdict.verdict ?? 'no run'],
  figure('bad restarts', (verdict) =>
    verdict.restarts === 0
      ? noRestartText(verdict)
      : `${verdict.badRestarts} of ${verdict.restarts} (${boundText(verdict)})`,
  ),
  figure('dropped a restart', (verdict) => eachRestart(verdict.dropped, verdict)),
  figure('predicted', (verdict) => eachRestart(verdict.predicted.dropped, verdict)),
  figure('dropped', ({ dropped, due }) => `${dropped} of ${due}`),
  figure('longest wait', ({ longestWaitMs }) => inMs(longestWaitMs)),
  figure('gap', ({ gapMs }) => inMs(gapMs)),
  figure('writes lost', ({ writes }) => writes?.lost ?? null),
  figure('unexplained', ({ unexplained }) => unexplained),
];

/** Runs that are not what a reader takes them for. */
function doubts(entries: readonly SideBySideEntry[]): (string | false)[] {
  const notRun = entries.filter(({ run }) => run === null).map(({ id }) => id);
  return [
    ...entries.flatMap(({ id, run }) => [
      run?.citable === false && `${id} is not for citing: ${whyNot(run.verdict)}`,
      run?.asWritten === false && `${id} ran with other settings than its file has: ${run.record.command}`,
    ]),
    notRun.length > 0 && `Not run: ${notRun.join(', ')}; \`npm run experiment ${notRun[0] ?? ''}\`.`,
  ];
}

function whyNot(verdict: Verdict): string {
  if (!isConclusive(verdict)) return `${verdict.verdict}. ${verdict.reasons[0] ?? ''}`;
  return verdict.controls === null ? 'it was made without controls.' : `${verdict.verdict}.`;
}

const compared = 'traefik systemd node sqlite debian kernel engine cgroup cpu cpus project'.split(' ');

function labText(records: readonly RunRecord[]): string {
  if (records.length === 0) return 'There is no run yet: `npm run experiment all` makes them.';
  const values = compared.map((name) => ({ name, all: new Set(records.map(({ fingerprint }) => fingerprint[name])) }));
  const shared = values.flatMap(({ name, all: [value, ...others] }) =>
    value === undefined || others.length > 0 ? [] : `${name} ${value}`,
  );
  const differing = values.filter(({ all }) => all.size > 1).map(({ name }) => name);
  const rates = new Set(records.map((record) => subjectOf(record).ratePerSecond));
  return (
    `All at ${[...rates].join(', ')} requests a second. The lab of all of them: ${shared.join(', ')}.` +
    (differing.length === 0 ? '' : ` **They differ in ${differing.join(', ')}**: compare with care.`)
  );
}
