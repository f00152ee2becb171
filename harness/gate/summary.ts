/** A gate as a page of Markdown: the table that a pull request's reader sees, and under it what failed and why. */
import { markdownTable } from 'markdown-table';
import { fencedText, markdownText, shownLine, shownLines, wordedBy } from '../base/foreign-text.ts';
import { checkSentence, failures, findings, trySentence, type EntryResult, type GateResult } from './gate-result.ts';

const words = { pass: 'pass', fail: '**fail**', inconclusive: '*inconclusive*' } as const;

/** The text of summary.md. Every text of the result is worded for Markdown here, and those in blocks of their own as such. */
export function summaryText(of: GateResult): string {
  const entries = of.entries.map((entry) => ({
    ...wordedBy(entry, markdownText),
    causes: entry.causes.map(fencedText),
    citations: entry.tries.flatMap(({ citation }) => (citation === null ? [] : fencedText(shownLine(citation)))),
  }));
  const result = { ...wordedBy(of, markdownText), entries };
  const { verdict, notes, options, notAsked, comparisons, alpha, significantBelow, budgets } = result;
  const table = markdownTable([
    ['', 'verdict', 'tries', 'budgets met', 'against the baseline', 'what came out'],
    ...entries.map((entry) => [
      entry.name + (entry.blocking ? '' : ' (informs only)'),
      words[entry.verdict],
      entry.tries.map((one) => `${trySentence(one)}${one.runId === null ? '' : ` (${one.runId})`}`).join('<br>') || '–',
      met(entry, 'budget'),
      met(entry, 'regression'),
      resultOf(entry),
    ]),
  ]);
  const significance =
    significantBelow === null
      ? 'There is no baseline: budgets alone decide.'
      : `${comparisons} comparisons with the baselines; a difference is significant below p = ` +
        `${significantBelow.toExponential(1)} (${alpha} shared out), so that an unchanged tree fails in at most ` +
        `${alpha * 100} % of gates by chance.`;
  return [
    `## Gate: ${verdict}`,
    ...notes.map((note) => `**${note}**`),
    options.length === 0 ? '' : `Run with ${options.join(' ')}.`,
    table,
    ...entries
      .filter((entry) => entry.verdict !== 'pass' || !entry.blocking)
      .flatMap((entry) => details(entry, budgets)),
    ...notesOf(entries),
    notAsked.length === 0 ? '' : `Not part of this: ${notAsked.join(', ')}.`,
    significance,
    citationsOf(entries),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

/** The lines that a terminal gets. */
export function gateLines(of: GateResult): string {
  const entries = of.entries.map((entry) => ({ ...wordedBy(entry, shownLine), causes: entry.causes.map(shownLines) }));
  const result = { ...wordedBy(of, shownLine), entries };
  const lines = result.entries.flatMap((entry) => {
    const found = findings(entry);
    return [
      `${entry.verdict.padEnd(12)} ${entry.name}${entry.blocking ? '' : ' (informs only)'}: ${resultOf(entry)}`,
      ...(entry.tries.length > 1 ? entry.tries.map((one) => `  ${trySentence(one)}`) : []),
      ...found.map(
        (check) =>
          `  ${check.blocking ? '' : 'for information: '}${checkSentence(entry.name, check)}${place(result.budgets, check.line)}`,
      ),
      ...(found.length > 0 ? entry.causes.map((cause) => `    ${cause.replaceAll('\n', '\n    ')}`) : []),
      ...entry.notes.map((note) => `  note: ${note}`),
    ];
  });
  const notAsked = result.notAsked.length === 0 ? [] : [`not part of this: ${result.notAsked.join(', ')}`];
  const options = result.options.length === 0 ? [] : [`run with ${result.options.join(' ')}`];
  return [...result.notes, ...options, ...lines, ...notAsked, `gate: ${result.verdict}`, ''].join('\n');
}

function met({ checks }: EntryResult, kind: 'budget' | 'regression'): string {
  const ofKind = checks.filter((check) => check.kind === kind && check.outcome !== 'not-compared');
  if (ofKind.length === 0) return '–';
  return `${ofKind.filter(({ outcome }) => outcome === 'met').length} of ${ofKind.length}`;
}

function resultOf(entry: EntryResult): string {
  const [first, ...more] = failures(entry);
  if (first !== undefined) {
    return `${first.what}: ${first.measured}; allowed ${first.allowed}${more.length === 0 ? '' : `, and ${more.length} more`}`;
  }
  const run = entry.checks.find(({ kind }) => kind === 'run');
  if (run !== undefined) return run.measured === 'none' ? 'no run was found' : run.measured;
  return entry.checks
    .filter(({ kind }) => kind === 'budget')
    .slice(0, 3)
    .map(({ what, measured }) => `${what}: ${measured}`)
    .join('; ');
}

function place(file: string | null, line: number): string {
  return file === null ? '' : ` (${file}:${line})`;
}

function details(entry: EntryResult, file: string | null): string[] {
  const found = findings(entry);
  if (found.length === 0) return [];
  return [
    `### ${entry.name}`,
    found
      .map((check) => {
        const where = [file === null ? '' : `${file}:${check.line}`, check.because].filter((text) => text !== '');
        return (
          `- ${check.blocking && entry.blocking ? '' : 'for information: '}${checkSentence(entry.name, check)}` +
          (where.length === 0 ? '' : ` (${where.join('; ')})`)
        );
      })
      .join('\n'),
    entry.causes.length === 0 ? '' : `Causes:\n\n\`\`\`\n${entry.causes.join('\n')}\n\`\`\``,
  ];
}

function notesOf(entries: readonly EntryResult[]): string[] {
  const notes = entries.flatMap(({ name, notes: own }) => own.map((note) => `- ${name}: ${note}`));
  return notes.length === 0 ? [] : [notes.join('\n')];
}

function citationsOf(entries: readonly { readonly citations: readonly string[] }[]): string {
  const lines = entries.flatMap(({ citations }) => citations);
  return lines.length === 0 ? '' : `\`\`\`\n${lines.join('\n')}\n\`\`\``;
}
