/** `compare`: two runs side by side. */
import { exitCodes } from '../base/errors.ts';
import { readRun } from '../verdict/read-run.ts';
import { compareRuns } from './print/comparison.ts';
import { comparisonText } from './print/comparison-text.ts';
import type { Context } from './context.ts';
import { jsonText } from '../base/foreign-text.ts';

/**
 * Prints the two side by side. What differs is no error: the exit code is 0.
 * @throws {HarnessError} when one of the folders holds no run
 */
export async function compareCommand(
  context: Context,
  [a, b]: readonly [string, string],
  options: { json?: true },
): Promise<number> {
  const comparison = compareRuns(await readRun(a), await readRun(b));
  context.stdout(options.json === true ? jsonText(comparison) : comparisonText(comparison));
  return exitCodes.pass;
}
