/** hashes.json: the sha256 of every other file of a run, so that a change is seen. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

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
  for (const path of paths) hashes[relative(folder, path).split(sep).join('/')] = await sha256Of(path);
  return hashes;
}

/** Writes hashes.json: the last file of a run. */
export async function writeHashes(folder: string): Promise<void> {
  await writeFile(join(folder, hashesFile), `${JSON.stringify(await hashesOf(folder), null, 2)}\n`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
