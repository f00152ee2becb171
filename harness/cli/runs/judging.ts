/** What becomes of a run once its files are there: verdict, report, hashes, the link `latest`. */
import { basename, dirname } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { shortCalibration } from '../../calibration/short-calibration.ts';
import type { Conductor } from '../../conduct/conduct-run.ts';
import type { HeldEngine } from '../../conduct/hold-engine.ts';
import { writeReport } from '../../report/write-report.ts';
import { pointLatest } from '../../run/run-folder.ts';
import { shownLine } from '../../base/foreign-text.ts';
import { controlHolds } from '../../verdict/controls.ts';
import { judgeRun } from '../../verdict/judge.ts';
import { isConclusive, verdictSchema, type Verdict } from '../../verdict/record/verdict.ts';
import type { Context } from '../context.ts';
import { audienceOf } from '../print/progress.ts';
import { writeHashes } from './hashes.ts';

/** Conducts runs for this command on this engine. */
export function conductorOf(context: Context, engine: HeldEngine): Conductor<Verdict> {
  const audience = audienceOf(context);
  return {
    engine,
    audience,
    judging: {
      judge: (folder) => judge(context, folder),
      isConclusive,
      holds: controlHolds,
      parse: (json) => verdictSchema.parse(json),
      calibrate: (reportsFolder) => shortCalibration(audience, reportsFolder),
    },
  };
}

/**
 * Judges the run in this folder, and writes its report, hashes and `latest` link. None of these may change what came of
 * the run: a step that fails is told on stderr, and the next one is done all the same.
 * A user who has interrupted the run waits for its end, and not for a report.
 */
export async function judge({ stderr, signal }: Pick<Context, 'stderr' | 'signal'>, folder: string): Promise<Verdict> {
  const verdict = await judgeRun(folder);
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
