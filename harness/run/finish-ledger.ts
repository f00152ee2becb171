/** Puts the ledger of a run into its final form: what the load generator wrote as plain lines becomes ledger.ndjson.gz. */
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { plainPieces } from './plain-file.ts';
import { rawLedgerName, runFiles, unfinished } from './run-folder.ts';

const lineFeed = 0x0a;

/**
 * Zips the raw ledger and the parts of it that several threads left, and removes them. Of a file that was cut in mid-line
 * the last line is dropped: its row was never whole. Files that were being fetched when the run was cut short go. Does
 * nothing where there is no raw ledger.
 * @returns was there one?
 */
export async function finishLedger(folder: string): Promise<boolean> {
  const raw = (await readdir(folder)).filter((name) => rawLedgerName.test(name)).sort();
  if (raw.length === 0) return false;
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith(unfinished)) await rm(join(folder, name), { force: true });
  }
  await pack(
    raw.map((name) => join(folder, name)),
    join(folder, runFiles.ledger),
  );
  return true;
}

/** The same for the rows of held connections. */
export async function finishHolds(folder: string): Promise<void> {
  if (!(await readdir(folder)).includes(runFiles.rawHolds)) return;
  await pack([join(folder, runFiles.rawHolds)], join(folder, runFiles.holds));
}

/** Zips these files into one, and removes them. */
async function pack(paths: readonly string[], target: string): Promise<void> {
  const half = `${target}${unfinished}`;
  try {
    await pipeline(wholeLines(paths), createGzip(), createWriteStream(half));
    await rename(half, target);
  } finally {
    await rm(half, { force: true });
  }
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

async function* wholeLines(paths: readonly string[]): AsyncGenerator<Buffer> {
  for (const path of paths) {
    let begun: Buffer[] = [];
    for await (const piece of plainPieces(path)) {
      const end = piece.lastIndexOf(lineFeed) + 1;
      if (end > 0) {
        yield Buffer.concat([...begun, piece.subarray(0, end)]);
        begun = [];
      }
      if (end < piece.length) begun.push(piece.subarray(end));
    }
  }
}
