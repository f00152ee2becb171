/** A comparison as Markdown: what `compare` prints. */
import { markdownTable } from 'markdown-table';
import { fencedText, markdownText, shownLine, wordedBy } from '../../base/foreign-text.ts';
import { boundText, noRestartText } from '../../verdict/citation.ts';
import type { Difference } from '../../experiment/differences.ts';
import type { Comparison, Figure, Side } from './comparison.ts';

/** Below this chance, a difference is called one. */
const significance = 0.05;

/** The comparison's text. */
export function comparisonText(comparison: Comparison): string {
  const of = wordedBy(comparison, markdownText);
  const { a, b, warnings } = of;
  const sections = [
    `# ${nameOf(a)} beside ${nameOf(b)}`,
    ...(warnings.length === 0 ? [] : [warnings.map((warning) => `- **${warning}**`).join('\n')]),
    verdictTable(a, b),
    testsText(of),
    figuresTable(of),
    `\`\`\`\nA ${fencedText(shownLine(comparison.a.citation))}\nB ${fencedText(shownLine(comparison.b.citation))}\n\`\`\``,
    ...differencesTable('What was asked, where it differs', of.experimentDiffers),
    ...differencesTable('The fingerprint, where it differs', of.fingerprintDiffers),
  ];
  return `${sections.join('\n\n')}\n`;
}

function nameOf({ experiment, variant }: Side): string {
  return variant === null ? experiment : `${experiment} ${variant}`;
}

function verdictTable(a: Side, b: Side): string {
  const bad = (side: Side): string =>
    side.restarts === 0
      ? noRestartText(side)
      : `${side.badRestarts} of ${side.restarts} (${boundText({ badRestarts: side.badRestarts, badRestartsInterval95: asTuple(side) })})`;
  const row = (name: string, of: (side: Side) => string): string[] => [name, of(a), of(b)];
  return markdownTable([
    ['', 'A', 'B'],
    row('run', ({ runId }) => runId),
    row('verdict', ({ verdict }) => verdict),
    row('bad restarts', bad),
    row('dropped requests', ({ dropped, due }) => `${dropped} of ${due}`),
  ]);
}

function asTuple({ badRestartsInterval95: interval }: Side): [number, number] | null {
  return interval === null ? null : [interval[0], interval[1]];
}

function testsText({ a, b, tests }: Comparison): string {
  const { badRestartsP, droppedPerRestartP } = tests;
  if (badRestartsP === null || droppedPerRestartP === null) {
    return 'One of the two has no restart that counts: there is nothing to test.';
  }
  const worth = (p: number): string =>
    p < significance ? 'more than chance makes' : 'which chance makes too: it tells the two not apart';
  return (
    `Bad restarts, ${a.badRestarts} of ${a.restarts} against ${b.badRestarts} of ${b.restarts}: p = ${pText(badRestartsP)} ` +
    `(Fisher's exact test, both sides), ${worth(badRestartsP)}. Drops restart by restart: p = ` +
    `${pText(droppedPerRestartP)} (exact permutation test, both sides), ${worth(droppedPerRestartP)}.`
  );
}

function pText(p: number): string {
  return p < 0.0001 ? p.toExponential(1) : p.toFixed(4);
}

function figuresTable({ figures, byKind }: Comparison): string {
  const rows = figures.map((figure) => [
    figure.name,
    withUnit(figure.a, figure.unit),
    withUnit(figure.b, figure.unit),
    figure.a === null || figure.b === null ? '–' : withUnit(figure.b - figure.a, figure.unit, true),
  ]);
  const kinds = byKind.map(({ kind, a, b }) => [
    `dropped of ${kind}`,
    `${a.dropped} of ${a.due}`,
    `${b.dropped} of ${b.due}`,
    '',
  ]);
  return markdownTable([['figure', 'A', 'B', 'B − A'], ...rows, ...kinds], { align: ['l', 'r', 'r', 'r'] });
}

function withUnit(value: number | null, unit: Figure['unit'], isSigned = false): string {
  if (value === null) return '–';
  const digits = unit === 'ms' && Math.abs(value) < 10 ? 2 : Number.isInteger(value) ? 0 : 1;
  const text = `${isSigned && value > 0 ? '+' : ''}${value.toFixed(digits)}`;
  return unit === '' ? text : `${text}${unit === '/s' ? unit : ` ${unit}`}`;
}

function differencesTable(title: string, differing: readonly Difference[]): string[] {
  if (differing.length === 0) return [];
  const rows = differing.map(({ name, a, b }) => [name, a ?? '–', b ?? '–']);
  return [`## ${title}`, markdownTable([['', 'A', 'B'], ...rows])];
}
