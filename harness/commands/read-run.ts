/** A run as its folder has it: what was asked, and the verdict. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HarnessError } from '../errors.ts';
import { readRunRecord, runFiles } from '../scenario/run-folder.ts';
import { verdictSchema } from '../verdict/verdict.ts';
import type { ReadRun } from './comparison.ts';

/**
 * Reads run.json and verdict.json.
 * @throws {HarnessError} when the folder holds no run, or one without a verdict that this version reads
 */
export async function readRun(folder: string): Promise<ReadRun> {
  const path = resolve(folder);
  const run = await readRunRecord(path);
  try {
    return { run, verdict: verdictSchema.parse(JSON.parse(await readFile(join(path, runFiles.verdict), 'utf8'))) };
  } catch (cause) {
    throw new HarnessError('run-missing', `${folder} has no verdict that this version reads.`, {
      hint: `\`npm run verdict -- ${folder}\` makes it again from the run's files.`,
      cause,
    });
  }
}
