/** Two deploys side by side, as Markdown. */
import { markdownText, wordedBy } from '../../base/foreign-text.ts';
import type { DeployComparison, DeployFigures } from '../../gate/compare-deploys.ts';
import { inMs, tableOf } from '../../report/format.ts';
import { boundText } from '../../verdict/citation.ts';

/** The comparison: the answer first, then what it rests on. */
export function deployComparisonText(comparison: DeployComparison): string {
  const of = wordedBy(comparison, markdownText);
  const sections = [
    `# ${of.a.name} beside ${of.b.name}`,
    of.sentence,
    figuresTable(of),
    testsText(of),
    ...leftOutLines(of),
    ...(of.alsoDiffers.length === 0
      ? []
      : [
          `**The two differ in more than the command (${of.alsoDiffers.map(({ name }) => name).join(', ')}): this may ` +
            'cause what differs above.**',
        ]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function figuresTable({ a, b }: DeployComparison): string {
  const rows: readonly (readonly [string, (side: DeployFigures) => string])[] = [
    ['deploy', ({ name }) => name],
    ['measurements', ({ runs, leftOut }) => `${runs - leftOut}${leftOut === 0 ? '' : ` (and ${leftOut} left out)`}`],
    ['bad restarts', (side) => `${side.badRestarts} of ${side.restarts} (${boundText(boundOf(side))})`],
    ['dropped requests', ({ dropped, due }) => `${dropped} of ${due}`],
    ['dropped a restart', ({ droppedPerRestart }) => meanText(droppedPerRestart)],
    ['longest wait', ({ longestWaitMs }) => inMs(longestWaitMs)],
  ];
  return tableOf(rows, [
    ['', ([name]) => name],
    ['A', ([, of]) => of(a)],
    ['B', ([, of]) => of(b)],
  ]);
}

function boundOf({ badRestarts, badRestartsInterval95: interval }: DeployFigures) {
  return { badRestarts, badRestartsInterval95: interval === null ? null : ([...interval] as [number, number]) };
}

function meanText(perRestart: DeployFigures['droppedPerRestart']): string {
  if (perRestart === null) return '–';
  const { mean, low, high } = perRestart;
  return `${mean.toFixed(1)} (95 %: ${low.toFixed(1)} to ${high.toFixed(1)})`;
}

function testsText({ less, tests: { significantBelow, badRestartsP, droppedPerRestartP } }: DeployComparison): string {
  if (less === 'none') return 'Nothing is tested.';
  const text = (p: number): string => `p = ${p < 0.0001 ? p.toExponential(1) : p.toFixed(4)}`;
  return (
    `Bad restarts: ${text(badRestartsP)} (Fisher's exact test, two-sided). Drops restart by restart: ` +
    `${text(droppedPerRestartP)} (exact permutation test, two-sided). Either tells a difference below ${significantBelow}.`
  );
}

function leftOutLines({ a, b }: DeployComparison): string[] {
  const lines = [...a.leftOutBecause, ...b.leftOutBecause].map((why) => `- left out: ${why}`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}
