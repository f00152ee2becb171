/** A run as its folder has it: what was asked, and the verdict. */
import { join } from 'node:path';
import { HarnessError } from '../../base/errors.ts';
import { plainJson } from '../../run/plain-file.ts';
import { openRun, type OpenRun } from '../../run/run-door.ts';
import { runFiles } from '../../run/run-folder.ts';
import { subjectOf, type RunRecord } from '../../run/run-record.ts';
import { verdictSchema, type Verdict } from './verdict.ts';

/** What was asked, and what came of it. */
export interface ReadRun {
  readonly run: RunRecord;
  readonly verdict: Verdict;
}

/**
 * Opens a run and reads its verdict.
 * @throws {HarnessError} when the folder is no run, or its verdict is missing, of another version or of another run
 */
export async function readRun(folder: string): Promise<ReadRun & { readonly folder: string }> {
  const open = await openRun(folder);
  return { run: open.record, verdict: await readVerdict(open), folder: open.path };
}

/** The verdict of a run that is open. */
export async function readVerdict(open: OpenRun): Promise<Verdict> {
  const { path, record } = open;
  const hint = `The command \`verdict\` makes it again from the run's files.`;
  if (!open.has(runFiles.verdict)) throw new HarnessError('run-missing', `${path} has no verdict.`, { hint });
  const verdict = await plainJson(join(path, runFiles.verdict), verdictSchema, {
    what: 'verdict',
    code: 'run-missing',
    hint,
  });
  const [asked, judged] = [`${subjectOf(record).id}@${record.runId}`, `${verdict.experiment}@${verdict.runId}`];
  if (asked === judged) return verdict;
  throw new HarnessError('run-damaged', `${path} is the run ${asked}, and its verdict is of ${judged}.`);
}
