/** What is written once the verdict is known. None of it may change what came of a run. */
import { dirname } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { writeReport } from '../report/write-report.ts';
import { pointLatest } from '../run/run-folder.ts';
import { shownLine } from '../base/foreign-text.ts';
import type { Context } from './context.ts';
import { writeHashes } from './runs/hashes.ts';

/**
 * Writes the report, the hashes and the `latest` link of a run that was judged. A step that fails is told on stderr, and
 * the next one is done all the same.
 * @param hasReport false where nobody waits for one
 */
export async function closeRun(
  { stderr }: Pick<Context, 'stderr'>,
  folder: string,
  runId: string,
  hasReport = true,
): Promise<void> {
  const steps: readonly (readonly [string, () => Promise<void>])[] = [
    ...(hasReport ? [['report', () => writeReport(folder)] as const] : []),
    ['list of hashes', () => writeHashes(folder)],
    ['link `latest`', () => pointLatest(dirname(folder), runId)],
  ];
  for (const [what, write] of steps) {
    await write().catch((error: unknown) => {
      stderr(
        `note: the ${what} of ${folder} could not be written, which does not change its verdict: ${shownLine(messageOf(error))}\n`,
      );
    });
  }
}
