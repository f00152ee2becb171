/** Lines of a gzipped file of any size. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { HarnessError, messageOf } from '../errors.ts';
import { parseLine, type LineForm } from './line-form.ts';
import { LineReader } from './line-reader.ts';

/** Large enough that the turns of the event loop between two of them cost little. */
const chunkSize = 256 * 1024;

const lineFeed = 0x0a;

/**
 * The lines that are not empty, many at a time: a promise for each would take longer than what is done with it.
 * @throws {HarnessError} naming the file, when it cannot be read to its end
 */
export async function* gzippedLines(path: string): AsyncGenerator<string[]> {
  for await (const { bytes, ends } of gzippedBytes(path)) {
    let from = 0;
    const lines: string[] = [];
    for (const end of ends) {
      if (end > from) lines.push(bytes.toString('utf8', from, end));
      from = end + 1;
    }
    yield lines;
  }
}

/**
 * How many lines are not empty.
 * @throws {HarnessError} naming the file, when it cannot be read to its end
 */
export async function countGzippedLines(path: string): Promise<number> {
  let count = 0;
  for await (const { ends } of gzippedBytes(path)) {
    let from = 0;
    for (const end of ends) {
      if (end > from) count++;
      from = end + 1;
    }
  }
  return count;
}

/**
 * Each line as JSON of this form.
 * @throws {HarnessError} naming file and line, when one is no JSON, or not of the form
 */
export async function* gzippedRecords<T>(path: string, form: LineForm<T>): AsyncGenerator<T[]> {
  let number = 0;
  for await (const lines of gzippedLines(path)) {
    yield lines.map((text) => {
      const place = { path, line: ++number };
      return form(parseLine(text, place), place);
    });
  }
}

/**
 * Each line as what `read` makes of it, where the line is as it expects; else as what `of` makes of its JSON. The two must
 * agree on every line that both can read, and neither may give what is not of the line's form.
 * @param read null, or anything at all, where the reader is not whole after it
 * @throws {HarnessError} naming file and line, when one is no JSON, or `of` refuses it
 */
export async function* gzippedKnown<T>(
  path: string,
  read: (line: LineReader) => T,
  of: LineForm<T>,
): AsyncGenerator<T[]> {
  const line = new LineReader();
  let number = 0;
  for await (const { bytes, ends } of gzippedBytes(path)) {
    const records: T[] = [];
    let from = 0;
    for (const end of ends) {
      if (end > from) {
        number++;
        line.begin(bytes, from, end);
        const record = read(line);
        if (line.isWhole()) {
          records.push(record);
        } else {
          const place = { path, line: number };
          records.push(of(parseLine(bytes.toString('utf8', from, end), place), place));
        }
      }
      from = end + 1;
    }
    yield records;
  }
}

/** Whole lines, and where each ends (its line feed, or the end of the file). */
async function* gzippedBytes(path: string): AsyncGenerator<{ bytes: Buffer; ends: readonly number[] }> {
  const unzipped = createGunzip({ chunkSize });
  const source = createReadStream(path, { highWaterMark: chunkSize });
  source.on('error', (error) => unzipped.destroy(error));
  source.pipe(unzipped);
  // Of a line that is not over yet.
  let begun: Buffer[] = [];
  try {
    for await (const part of unzipped as AsyncIterable<Buffer>) {
      const first = part.indexOf(lineFeed);
      if (first < 0) {
        begun.push(part);
        continue;
      }
      let rest = part;
      if (begun.length > 0) {
        const line = Buffer.concat([...begun, part.subarray(0, first)]);
        yield { bytes: line, ends: [line.length] };
        rest = part.subarray(first + 1);
      }
      const ends: number[] = [];
      for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed, end + 1)) ends.push(end);
      if (ends.length > 0) yield { bytes: rest, ends };
      rest = rest.subarray((ends.at(-1) ?? -1) + 1);
      begun = rest.length === 0 ? [] : [rest];
    }
  } catch (cause) {
    throw new HarnessError('run-damaged', `${path} cannot be read to its end: ${messageOf(cause)}.`, { cause });
  }
  const rest = Buffer.concat(begun);
  if (rest.length > 0) yield { bytes: rest, ends: [rest.length] };
}
