/** A file that somebody wrote by hand, as text. */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { usageError } from '../refusals.ts';

/** Nobody writes more by hand. */
const mostBytes = 262_144;

const systemWords: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
};

/** Why the system did not read a file, as the end of a sentence that names it. */
export function whyUnreadable(thrown: unknown): string {
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  return systemWords[code] ?? `cannot be read: ${message}`;
}

/**
 * Reads a file in UTF-8.
 * @param file how errors call it
 * @param what it is
 * @throws {HarnessError} saying why it cannot be read
 */
export async function readWrittenFile(path: string, file: string, what = 'budgets file'): Promise<string> {
  const bytes = await firstBytes(path).catch((cause: unknown) => {
    throw usageError(`The ${what} ${file} ${whyUnreadable(cause)}.`, undefined, cause);
  });
  if (bytes.length > mostBytes) throw usageError(`${file} is larger than 256 KiB: that is no ${what}.`);
  if (bytes[0] === 0xff || bytes[0] === 0xfe) throw usageError(`${file}:1:1: is no UTF-8 (UTF-16?): save it as UTF-8.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const before = (bytes.toString('utf8').split('\u{fffd}')[0] ?? '').split('\n');
    const place = `${before.length}:${(before.at(-1) ?? '').length + 1}`;
    throw usageError(`${file}:${place}: this letter is no UTF-8: save the file as UTF-8.`);
  }
}

/** One byte more than a file may have: a pipe has no size to be asked for, and a device may have no end. */
async function firstBytes(path: string): Promise<Buffer> {
  // The shell's `<(…)` is a link to a pipe that has a writer; one with a name would be waited for without end.
  if ((await lstat(path)).isFIFO()) throw new Error('it is a named pipe');
  const handle = await open(path, constants.O_RDONLY);
  const stream = handle.createReadStream({ end: mostBytes });
  return Buffer.concat(await stream.toArray());
}
