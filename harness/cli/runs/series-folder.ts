/** The folder of a table made from several runs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newRunId, pointLatest } from '../../run/run-folder.ts';

/**
 * Writes the files into `parent/<id>/`, and points `parent/latest` there.
 * @param files by their names; null is left out
 * @returns the folder
 */
export async function writeSeriesFolder(
  parent: string,
  files: Readonly<Record<string, string | Uint8Array | null>>,
  id = newRunId(new Date()),
): Promise<string> {
  const folder = join(parent, id);
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    if (content !== null) await writeFile(join(folder, name), content);
  }
  await pointLatest(parent, id);
  return folder;
}

/** Data as a file holds it. */
export function jsonFile(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
