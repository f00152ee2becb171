/** A gate as a page of Markdown, which a pull request's reader sees, and as the lines that a terminal gets. */
import { fencedText, markdownText, shownLine, shownLines, wordedBy } from '../base/foreign-text.ts';
import { tableOf } from '../report/format.ts';
import { checkSentence, failures, findings, trySentence } from './gate-result.ts';
import type { Check, EntryResult, GateResult } from './gate-result.ts';

const words = { pass: 'pass', fail: '**fail**', inconclusive: '*inconclusive*' } as const;

/** The text of summary.md. Every text of the result is worded for Markdown here, and those in blocks of their own as such. */
export function summaryText(of: GateResult): string {
  const entries = of.entries.map((entry) => ({
    ...wordedBy(entry, markdownText),
    causes: entry.causes.map(fencedText),
  }));
  const { verdict, notes, options, notAsked, budgets } = wordedBy(of, markdownText);
  const told = entries.flatMap((entry) => entry.notes.map((note) => `- ${entry.name}: ${note}`));
  const citations = of.entries.flatMap(({ tries }) =>
    tries.flatMap(({ citation }) => (citation === null ? [] : fencedText(shownLine(citation)))),
  );
  return [
    `## Gate: ${verdict}`,
    ...notes.map((note) => `**${note}**`),
    options.length === 0 ? '' : `Run with ${options.join(' ')}.`,
    tableOf(entries, [
      ['', nameOf],
      ['verdict', (entry) => words[entry.verdict]],
      ['tries', ({ tries }) => tries.map(tryText).join('<br>') || '–'],
      ['budgets met', (entry) => metText(entry, 'budget')],
      ['against the baseline', (entry) => metText(entry, 'regression')],
      ['what came out', resultText],
    ]),
    ...entries
      .filter((entry) => entry.verdict !== 'pass' || !entry.blocking)
      .flatMap((entry) => findingsText(entry, budgets)),
    told.join('\n'),
    notAsked.length === 0 ? '' : `Not part of this: ${notAsked.join(', ')}.`,
    significanceText(of),
    citations.length === 0 ? '' : `\`\`\`\n${citations.join('\n')}\n\`\`\``,
  ]
    .filter(Boolean)
    .join('\n\n')
    .concat('\n');
}

/** The lines that a terminal gets. */
export function gateLines(of: GateResult): string {
  const { verdict, notes, options, notAsked, budgets } = wordedBy(of, shownLine);
  const lines = of.entries.flatMap(({ causes, ...own }) => {
    const entry: EntryResult = { ...wordedBy(own, shownLine), causes: causes.map(shownLines) };
    const found = findings(entry);
    const place = ({ line }: Check): string => (budgets === null ? '' : ` (${budgets}:${line})`);
    return [
      `${entry.verdict.padEnd(12)} ${nameOf(entry)}: ${resultText(entry)}`,
      ...(entry.tries.length > 1 ? entry.tries.map((one) => `  ${trySentence(one)}`) : []),
      ...found.map(
        (check) => `  ${check.blocking ? '' : 'for information: '}${checkSentence(entry.name, check)}${place(check)}`,
      ),
      ...(found.length > 0 ? entry.causes.map((cause) => `    ${cause.replaceAll('\n', '\n    ')}`) : []),
      ...entry.notes.map((note) => `  note: ${note}`),
    ];
  });
  return [
    ...notes,
    ...(options.length === 0 ? [] : [`run with ${options.join(' ')}`]),
    ...lines,
    ...(notAsked.length === 0 ? [] : [`not part of this: ${notAsked.join(', ')}`]),
    `gate: ${verdict}\n`,
  ].join('\n');
}

function nameOf({ name, blocking }: EntryResult): string {
  return `${name}${blocking ? '' : ' (informs only)'}`;
}

function tryText(one: EntryResult['tries'][number]): string {
  return `${trySentence(one)}${one.runId === null ? '' : ` (${one.runId})`}`;
}

function metText({ checks }: EntryResult, kind: 'budget' | 'regression'): string {
  const ofKind = checks.filter((check) => check.kind === kind && check.outcome !== 'not-compared');
  if (ofKind.length === 0) return '–';
  return `${ofKind.filter(({ outcome }) => outcome === 'met').length} of ${ofKind.length}`;
}

function resultText(entry: EntryResult): string {
  const [first, ...more] = failures(entry);
  if (first !== undefined) {
    return `${first.what}: ${first.measured}; allowed ${first.allowed}${more.length === 0 ? '' : `, and ${more.length} more`}`;
  }
  const run = entry.checks.find(({ kind }) => kind === 'run');
  if (run !== undefined) return run.measured === 'none' ? 'no run was found' : run.measured;
  const budgets = entry.checks.filter(({ kind }) => kind === 'budget').slice(0, 3);
  return budgets.map(({ what, measured }) => `${what}: ${measured}`).join('; ');
}

/** What an entry missed, at which line, and why. */
function findingsText(entry: EntryResult, file: string | null): string[] {
  const lines = findings(entry).map((check) => {
    const where = [file === null ? '' : `${file}:${check.line}`, check.because].filter(Boolean);
    const informs = check.blocking && entry.blocking ? '' : 'for information: ';
    return `- ${informs}${checkSentence(entry.name, check)}${where.length === 0 ? '' : ` (${where.join('; ')})`}`;
  });
  if (lines.length === 0) return [];
  return [
    `### ${entry.name}`,
    lines.join('\n'),
    entry.causes.length === 0 ? '' : `Causes:\n\n\`\`\`\n${entry.causes.join('\n')}\n\`\`\``,
  ];
}

function significanceText({ comparisons, alpha, significantBelow }: GateResult): string {
  if (significantBelow === null) return 'There is no baseline: budgets alone decide.';
  return (
    `${comparisons} comparisons with the baselines; a difference is significant below p = ` +
    `${significantBelow.toExponential(1)} (${alpha} shared out), so that an unchanged tree fails in at most ` +
    `${alpha * 100} % of gates by chance.`
  );
}
