/** What becomes of a run once its files are there: verdict, report, hashes, the link `latest`. */
import { basename, dirname } from 'node:path';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { writeReport } from '../../report/write-report.ts';
import { pointLatest } from '../../run/run-folder.ts';
import { shownLine } from '../../base/foreign-text.ts';
import { judgeRun } from '../../verdict/judge.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';
import type { Context } from '../context.ts';
import { writeHashes } from './working-copy.ts';

/**
 * Judges the run in this folder, and writes its report, hashes and `latest` link. None of these may change what came of
 * the run: a step that fails is told on stderr, and the next one is done all the same.
 * A user who has interrupted the run waits for its end, and not for a report.
 */
export async function judge({ stderr, signal }: Pick<Context, 'stderr' | 'signal'>, folder: string): Promise<Verdict> {
  const verdict = await judgeRun(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    const hint = `Make room; then \`npm run verdict -- ${folder}\` judges what was recorded.`;
    throw new HarnessError('disk-full', `The disk of ${folder} is full.`, { hint, cause: error });
  });
  const steps: readonly (readonly [string, () => Promise<void>])[] = [
    ...(signal.aborted ? [] : [['report', () => writeReport(folder)] as const]),
    ['list of hashes', () => writeHashes(folder)],
    ['link `latest`', () => pointLatest(dirname(folder), basename(folder))],
  ];
  for (const [what, write] of steps) {
    await write().catch((error: unknown) => {
      const why = shownLine(messageOf(error));
      stderr(`note: the ${what} of ${folder} could not be written, which does not change its verdict: ${why}\n`);
    });
  }
  return verdict;
}
