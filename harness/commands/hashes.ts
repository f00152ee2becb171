/** hashes.json: the sha256 of every other file of a run, so that a change is seen. */
import { readdir, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { sha256OfFile } from '../scenario/file-hash.ts';

/** Name of the file within the run's folder. */
export const hashesFile = 'hashes.json';

/** The sha256 of every file under the folder, by its path there; hashes.json itself apart. */
export async function hashesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => relative(folder, path) !== hashesFile)
    .sort();
  const hashes: Record<string, string> = {};
  for (const path of paths) hashes[relative(folder, path).split(sep).join('/')] = await sha256OfFile(path);
  return hashes;
}

/** Writes hashes.json: the last file of a run. */
export async function writeHashes(folder: string): Promise<void> {
  await writeFile(join(folder, hashesFile), `${JSON.stringify(await hashesOf(folder), null, 2)}\n`);
}
