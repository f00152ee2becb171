/** reports/baselines/: one file for each entry of the gate that has a baseline. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { baselineSchema, type Baseline } from './baseline.ts';
import { usageError } from './refusals.ts';

/** All baselines, by name, in the order of their names; none where the folder is missing. */
export async function readBaselines(folder: string): Promise<Map<string, Baseline>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const baselines = new Map<string, Baseline>();
  for (const file of names) {
    const path = join(folder, file);
    let baseline: Baseline;
    try {
      baseline = baselineSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch (cause) {
      throw usageError(
        `${path} is no baseline: ${messageOf(cause)}.`,
        'It is written by `npm run baseline -- accept RUN` alone; take the committed one back.',
        cause,
      );
    }
    if (`${baseline.name}.json` !== file)
      throw usageError(`${path} calls itself ${baseline.name}: name and file must agree.`);
    baselines.set(baseline.name, baseline);
  }
  return baselines;
}

/** Writes a baseline; gives the file's path. */
export async function writeBaseline(folder: string, baseline: Baseline): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${baseline.name}.json`);
  await writeFile(path, `${JSON.stringify(baseline, null, 2)}\n`);
  return path;
}
