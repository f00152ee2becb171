/** Files of a run that are missing or spoilt, told as such. */
import { relative } from 'node:path';
import { z } from 'zod';
import { HarnessError, messageOf } from '../errors.ts';
import { firstIssueOf } from '../scenario/issue-text.ts';

/**
 * Does what reads a run's files; that one is not there, is no JSON, or is not of its form is the run's fault, not ours.
 * @throws {HarnessError} `run-damaged`, naming the file where that is known
 */
export async function readingRun<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const told = damage(folder, cause);
    if (told === undefined) throw cause;
    throw new HarnessError('run-damaged', told, { cause });
  }
}

/** What is wrong with the run, in a sentence; undefined when it is something else. */
function damage(folder: string, error: unknown): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path?.startsWith(folder) === true) return `${folder} has no ${relative(folder, path)}.`;
  if (error instanceof SyntaxError) {
    return `A file of ${folder} is no JSON: ${messageOf(error).replaceAll(/\s*\n\s*/gu, ' ')}.`;
  }
  if (error instanceof z.ZodError) {
    return `A file of ${folder} is not of its form: ${firstIssueOf(error)}.`;
  }
  return undefined;
}
