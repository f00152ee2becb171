/** Results that are made once for a machine and a state of the project, each a file in reports/controls/. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseJson, plainText } from '../run/plain-file.ts';

/**
 * The result in this file; null when it is missing or was written by another version of the harness, so that it is made
 * again.
 * @param parse throws where the content has another form
 */
export async function readKept<T>(path: string, parse: (json: unknown) => T): Promise<T | null> {
  try {
    return parse(parseJson(await plainText(path)));
  } catch {
    return null;
  }
}

/** Keeps a result for the next run that needs it. */
export async function keepResult(path: string, result: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
}
