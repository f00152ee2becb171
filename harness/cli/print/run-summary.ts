/** How a run ends on the command line: what is printed, and what the process exits with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Colors } from 'picocolors/types.js';
import { exitCodes } from '../../base/errors.ts';
import { shownLine } from '../../base/foreign-text.ts';
import { runFiles } from '../../run/run-folder.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';

/** What the process exits with after this verdict. */
export function exitCodeOf(verdict: Verdict['verdict']): number {
  switch (verdict) {
    case 'pass':
      return exitCodes.pass;
    case 'fail':
      return exitCodes.expectationMissed;
    case 'inconclusive':
    case 'aborted':
      return exitCodes.inconclusive;
  }
}

/** Which reports a run's folder holds: a run that was interrupted has none. */
export function reportsIn(folder: string): { hasReport: boolean; hasPage: boolean } {
  return { hasReport: existsSync(join(folder, runFiles.report)), hasPage: existsSync(join(folder, runFiles.page)) };
}

/** What a run prints when it has ended: verdict and citation, why, and where to read on. */
export function summaryLines(
  verdict: Verdict,
  folder: string,
  colours: Colors,
  { hasReport, hasPage } = { hasReport: true, hasPage: true },
): string {
  const paint = { pass: colours.green, fail: colours.red, inconclusive: colours.yellow, aborted: colours.yellow };
  const reasons = [...verdict.reasons, ...verdict.notes].map((reason) => `  ${shownLine(reason)}\n`).join('');
  const page = hasPage ? `, and as one page ${join(folder, runFiles.page)}` : '';
  const report = hasReport
    ? `${join(folder, runFiles.report)}${page}`
    : `none yet; npm run report -- ${folder} makes it`;
  return `${paint[verdict.verdict](verdict.verdict)}: ${shownLine(verdict.citation)}\n${reasons}report: ${report}\n`;
}
