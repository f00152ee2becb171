/** Two deploys side by side, as Markdown. */
import { markdownText, wordedBy } from '../../base/foreign-text.ts';
import type { DeployComparison, DeployFigures } from '../../gate/compare-deploys.ts';
import { inMs } from '../../report/format.ts';
import { probabilityText, sidesTable } from './comparison.ts';
import { boundText } from '../../verdict/citation.ts';

/** The comparison: the answer first, then what it rests on. */
export function deployComparisonText(comparison: DeployComparison): string {
  const of = wordedBy(comparison, markdownText);
  const leftOut = [...of.a.leftOutBecause, ...of.b.leftOutBecause].map((why) => `- left out: ${why}`);
  const others = of.alsoDiffers.map(({ name }) => name).join(', ');
  const sections = [
    `# ${of.a.name} beside ${of.b.name}`,
    of.sentence,
    figuresTable(of),
    testsText(of),
    leftOut.join('\n'),
    others && `**The two differ in more than the command (${others}): this may cause what differs above.**`,
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
}

function figuresTable({ a, b }: DeployComparison): string {
  return sidesTable(a, b, [
    ['deploy', ({ name }) => name],
    ['measurements', ({ runs, leftOut }) => `${runs - leftOut}${leftOut === 0 ? '' : ` (and ${leftOut} left out)`}`],
    ['bad restarts', (side) => `${side.badRestarts} of ${side.restarts} (${boundText(boundOf(side))})`],
    ['dropped requests', ({ dropped, due }) => `${dropped} of ${due}`],
    ['dropped a restart', ({ droppedPerRestart }) => meanText(droppedPerRestart)],
    ['longest wait', ({ longestWaitMs }) => inMs(longestWaitMs)],
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
  return (
    `Bad restarts: ${probabilityText(badRestartsP)} (Fisher's exact test, two-sided). Drops restart by restart: ` +
    `${probabilityText(droppedPerRestartP)} (exact permutation test, two-sided). Either tells a difference below ${significantBelow}.`
  );
}
