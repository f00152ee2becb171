/** Lines of a gzipped file of any size. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { exitCodes, HarnessError, messageOf } from '../errors.ts';

/**
 * The lines that are not empty, many at a time: a promise for each would take longer than what is done with it.
 * @throws {HarnessError} naming the file, when it cannot be read to its end
 */
export async function* gzippedLines(path: string): AsyncGenerator<string[]> {
  const unzipped = createGunzip({ chunkSize: 256 * 1024 });
  const source = createReadStream(path);
  source.on('error', (error) => unzipped.destroy(error));
  source.pipe(unzipped).setEncoding('utf8');
  let rest = '';
  try {
    for await (const part of unzipped) {
      const lines = (rest + (part as string)).split('\n');
      rest = lines.pop() ?? '';
      yield lines.filter((line) => line !== '');
    }
  } catch (cause) {
    throw new HarnessError(`${path} cannot be read to its end: ${messageOf(cause)}.`, {
      exitCode: exitCodes.inconclusive,
      hint: 'The file is missing, or was cut short or changed after the run.',
      cause,
    });
  }
  if (rest !== '') yield [rest];
}

/**
 * Each line as JSON.
 * @throws {HarnessError} naming file and line, when one is no JSON
 */
export async function* gzippedRecords<T>(path: string): AsyncGenerator<T[]> {
  let number = 0;
  for await (const lines of gzippedLines(path)) {
    yield lines.map((line) => {
      number++;
      try {
        return JSON.parse(line) as T;
      } catch (cause) {
        throw new HarnessError(`${path}: line ${number} is no JSON.`, { exitCode: exitCodes.inconclusive, cause });
      }
    });
  }
}
