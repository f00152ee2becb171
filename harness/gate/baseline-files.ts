/** reports/baselines/: one file for each entry of the gate that has a baseline. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainJson } from '../run/plain-file.ts';
import { baselineSchema, type Baseline } from './baseline.ts';
import { fileNameSchema } from './budgets.ts';
import { usageError } from './refusals.ts';

/** All baselines, by name, in the order of their names; none where the folder is missing. */
export async function readBaselines(folder: string): Promise<Map<string, Baseline>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const baselines = new Map<string, Baseline>();
  for (const file of names) {
    const path = join(folder, file);
    const baseline = await plainJson(path, baselineSchema, {
      what: 'baseline',
      code: 'gate-unusable',
      hint: 'It is written by `npm run baseline -- accept RUN` alone; take the committed one back.',
    });
    if (`${baseline.name}.json` !== file)
      throw usageError(`${path} calls itself ${baseline.name}: name and file must agree.`);
    baselines.set(baseline.name, baseline);
  }
  return baselines;
}

/**
 * A baseline's name, which becomes a file's.
 * @throws {HarnessError} when it cannot
 */
export function baselineName(name: string): string {
  if (fileNameSchema.safeParse(name).success) return name;
  throw usageError(
    `${JSON.stringify(name)} is no name of a baseline.`,
    'A name has letters, digits, @, dots and dashes, and begins with a letter or a digit.',
  );
}

/** Writes a baseline; gives the file's path. */
export async function writeBaseline(folder: string, baseline: Baseline): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${baselineName(baseline.name)}.json`);
  // A link there is replaced, not followed.
  await rm(path, { force: true });
  await writeFile(path, `${JSON.stringify(baseline, null, 2)}\n`, { flag: 'wx' });
  return path;
}
