/** hashes.json: the sha256 of every other file of a run, so that a change is seen. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../../run/file-hash.ts';
import { openRun, type OpenRun } from '../../run/run-door.ts';
import { runFiles } from '../../run/run-folder.ts';

/** The sha256 of every file of the run but hashes.json, by the file's name. */
export async function hashesOf(run: OpenRun): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of run.names()) {
    if (name !== runFiles.hashes) hashes[name] = await sha256OfFile(join(run.path, name));
  }
  return hashes;
}

/** Writes hashes.json: the last file of a run. */
export async function writeHashes(folder: string): Promise<void> {
  const run = await openRun(folder);
  await placeFile(join(run.path, runFiles.hashes), `${JSON.stringify(await hashesOf(run), null, 2)}\n`);
}

/** Writes a file in place of the one that is there: never through a link, nor into a file that has a second name. */
async function placeFile(path: string, content: string | Buffer): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, content, { flag: 'wx' });
}
