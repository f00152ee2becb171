/** Lines of a gzipped file of any size. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HarnessError, messageOf } from '../base/errors.ts';
import { parseLine, type LineForm } from './line-form.ts';
import { LineReader } from './line-reader.ts';
import { mostLineBytes, oneLine, plainPieces, refused, textFault } from './plain-file.ts';

/** Large enough that the turns of the event loop between two of them cost little. */
const chunkSize = 256 * 1024;

const lineFeed = 0x0a;

/** Ours unpack to thirty times their size. */
const mostTimesPacked = 300;
/** A short file of lines that are alike may be packed better than that. */
const freeBytes = 64 * 1024 * 1024;

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
  // The line that is not over yet.
  let begun: Buffer[] = [];
  let begunBytes = 0;
  try {
    for await (const part of unzipped(path)) {
      const first = part.indexOf(lineFeed);
      begunBytes += first < 0 ? part.length : first;
      if (begunBytes > mostLineBytes) throw refused(`${path} holds a line of more than ${mostLineBytes} bytes`);
      if (first < 0) {
        begun.push(part);
        continue;
      }
      let rest = part;
      if (begun.length > 0) {
        const line = Buffer.concat([...begun, part.subarray(0, first)]);
        yield checked({ bytes: line, ends: [line.length] }, path);
        rest = part.subarray(first + 1);
      }
      const ends: number[] = [];
      for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed, end + 1)) ends.push(end);
      const last = (ends.at(-1) ?? -1) + 1;
      if (ends.length > 0) yield checked({ bytes: rest.subarray(0, last), ends }, path);
      rest = rest.subarray(last);
      begun = rest.length === 0 ? [] : [rest];
      begunBytes = rest.length;
    }
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw new HarnessError('run-damaged', `${path} cannot be read to its end: ${oneLine(messageOf(cause))}.`, {
      cause,
    });
  }
  const rest = Buffer.concat(begun);
  if (rest.length > 0) yield checked({ bytes: rest, ends: [rest.length] }, path);
}

/** The unpacked content in pieces, as long as it is no more than such a file can come to. */
async function* unzipped(path: string): AsyncGenerator<Buffer> {
  let packedBytes = 0;
  const packed = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of plainPieces(path)) {
      packedBytes += piece.length;
      yield piece;
    }
  };
  const gunzip = createGunzip({ chunkSize });
  const source = Readable.from(packed(), { objectMode: false, highWaterMark: chunkSize });
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  let bytes = 0;
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > freeBytes + mostTimesPacked * packedBytes) {
        throw refused(`${path} unpacks to more than ${mostTimesPacked} times its size`);
      }
      yield piece;
    }
  } finally {
    source.destroy();
  }
}

/** Whole lines, which must be text. */
function checked<T extends { bytes: Buffer }>(lines: T, path: string): T {
  const fault = textFault(lines.bytes);
  if (fault !== null) throw new HarnessError('run-damaged', `${path} ${fault}.`);
  return lines;
}
