/** Where the tables of a measurement of the instrument go. */
import { writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import { newRunId } from '../../run/run-folder.ts';
import type { Context } from '../context.ts';
import { pathText } from '../print/path.ts';
import { jsonFile, writeSeriesFolder, requireWritable } from '../runs/out-folder.ts';

/** Options of both commands, as they are typed. */
export interface TablesOptions {
  readonly out?: string;
  readonly publish?: true;
}

/**
 * Names a folder for a measurement: reports/<name>/<id>. With --publish its tables go to reports/<name>.md too, a file of
 * the repository that the documentation links to.
 * @returns `write` writes the tables and the results that they show; it gives the line that says where they are
 */
export async function tablesFolder(
  context: Context,
  name: 'calibration' | 'benchmark',
  { out, publish }: TablesOptions,
) {
  const reports = resolve(out ?? context.reportsFolder);
  const all = join(reports, name);
  const heading = name === 'calibration' ? 'Calibration' : 'Benchmark';
  await requireWritable(all);
  const id = newRunId(new Date());
  return {
    id,
    folder: join(all, id),
    write: async (tables: string, results: unknown) => {
      const machine = `Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`;
      const textWith = (method: string): string =>
        `# ${heading}\n\n${id}, on ${machine}. How it is measured, and what each figure is: ${method}.\n\n${tables}\n`;
      const files = { [`${name}.json`]: jsonFile(results), [`${name}.md`]: textWith('docs/method.md') };
      const folder = await writeSeriesFolder(all, files, id);
      const published = join(reports, `${name}.md`);
      if (publish === true) await writeFile(published, textWith(`[docs/method.md](../docs/method.md#${name})`));
      return `table: ${pathText(publish === true ? published : join(folder, `${name}.md`))}\n`;
    },
  };
}
