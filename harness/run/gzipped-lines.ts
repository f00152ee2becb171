/** Lines of a gzipped file of any size. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { HarnessError, messageOf } from '../base/errors.ts';
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
 * @throws {HarnessError} naming the file, when it cannot be read to its end, or is no text
 */
export async function* gzippedLines(path: string): AsyncGenerator<string[]> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const part of unzipped(path)) {
    const end = part.lastIndexOf(lineFeed) + 1;
    const first = end === 0 ? part.length : part.indexOf(lineFeed);
    begunBytes += first;
    if (begunBytes > mostLineBytes) throw refused(`${path} holds a line of more than ${mostLineBytes} bytes`);
    if (end > 0) {
      yield linesOf(Buffer.concat([...begun, part.subarray(0, end)]), path);
      begun = [];
      begunBytes = part.length - end;
    }
    if (end < part.length) begun.push(part.subarray(end));
  }
  if (begun.length > 0) yield linesOf(Buffer.concat(begun), path);
}

/**
 * Unpacks a file into another one.
 * @throws {HarnessError} naming the file, when it cannot be read to its end
 */
export async function unpackTo(path: string, target: string): Promise<void> {
  await pipeline(unzipped(path), createWriteStream(target, { flags: 'wx' }));
}

function linesOf(bytes: Buffer, path: string): string[] {
  const fault = textFault(bytes);
  if (fault !== null) throw new HarnessError('run-damaged', `${path} ${fault}.`);
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/**
 * The unpacked content in pieces, as long as it is no more than such a file can come to.
 * @throws {HarnessError} naming the file, when it cannot be read to its end
 */
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
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const why = oneLine(messageOf(cause));
    throw new HarnessError('run-damaged', `${path} cannot be read to its end: ${why}.`, { cause });
  } finally {
    source.destroy();
  }
}
