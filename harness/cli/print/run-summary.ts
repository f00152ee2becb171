/** How a run ends on the command line: what is printed, and what the process exits with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../../base/errors.ts';
import { shownLine } from '../../base/foreign-text.ts';
import { runFiles } from '../../run/run-folder.ts';
import { heldText } from '../../verdict/service/held-text.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';
import type { Context } from '../context.ts';
import { pathText } from './path.ts';

const codes = {
  pass: exitCodes.pass,
  fail: exitCodes.expectationMissed,
  inconclusive: exitCodes.inconclusive,
  aborted: exitCodes.inconclusive,
} as const;

/** What the process exits with after this verdict. */
export function exitCodeOf(verdict: Verdict['verdict']): number {
  return codes[verdict];
}

/** What a run prints when it has ended: verdict and citation, why, and where to read on; an interrupted run has no report. */
export function summaryLines(
  verdict: Verdict,
  folder: string,
  { colours: all, callOf, worded }: Pick<Context, 'colours' | 'callOf' | 'worded'>,
  stream: 'stdout' | 'stderr' = 'stdout',
): string {
  const colours = all[stream];
  const paint = { pass: colours.green, fail: colours.red, inconclusive: colours.yellow, aborted: colours.yellow };
  const reasons = [...verdict.reasons, ...verdict.notes].map((reason) => `  ${worded(shownLine(reason))}\n`).join('');
  const [report, page] = [runFiles.report, runFiles.page].map((name) => join(folder, name)) as [string, string];
  const onePage = existsSync(page) ? `, and as one page ${pathText(page)}` : '';
  const where = existsSync(report)
    ? `${pathText(report)}${onePage}`
    : `none yet; ${callOf('report')} ${pathText(folder)} makes it`;
  const held = verdict.holds === undefined ? '' : `  ${shownLine(heldText(verdict.holds))}\n`;
  return `${paint[verdict.verdict](verdict.verdict)}: ${shownLine(verdict.citation)}\n${held}${reasons}report: ${where}\n`;
}
