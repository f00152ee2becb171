/** `index`: the experiments side by side. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { drawSideBySide } from '../report/charts/side-by-side-chart.ts';
import { sideBySideBars, sideBySideMarkdown, type SideBySideEntry } from '../report/side-by-side.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Context } from './context.ts';
import { readSeries } from './runs/series.ts';

/** Names within the folder of reports. */
const indexFiles = { text: 'README.md', chart: 'side-by-side' } as const;

/** Options as they are typed. */
export interface IndexOptions {
  readonly series?: string;
  readonly out?: string;
}

/**
 * Writes README.md and its chart, from the runs in reports/ or in `--series`. They go to reports/index/, which is not
 * committed, unless `--out` names another folder: reports/README.md shows the runs that are kept, not those of the day. The
 * same runs give the same bytes.
 * @throws {HarnessError} when there is no run at all
 */
export async function indexCommand(context: Context, options: IndexOptions): Promise<number> {
  const reports = join(context.projectFolder, 'reports');
  const out = options.out === undefined ? join(reports, 'index') : resolve(options.out);
  const series = options.series === undefined ? reports : resolve(options.series);
  const entries = (await readSeries(series)).map(({ file: { id, title, question }, run }): SideBySideEntry => {
    if (run === null) return { id, title, question, run: null };
    const { run: record, verdict, folder, asWritten, citable } = run;
    const reportPath = pathFrom(out, join(folder, runFiles.report));
    return { id, title, question, run: { record, verdict, reportPath, asWritten, citable } };
  });
  if (entries.every(({ run }) => run === null)) {
    throw new HarnessError(
      'run-missing',
      `${relative(process.cwd(), series) || series} holds no run of an experiment.`,
      {
        hint: 'Make them with `npm run experiment all`, or name a folder that has some with --series.',
      },
    );
  }
  await mkdir(out, { recursive: true });
  const paths = {
    chartPath: `${indexFiles.chart}.svg`,
    glossaryPath: pathFrom(out, join(context.projectFolder, 'docs/glossary.md')),
  };
  const { png, svg } = drawSideBySide(sideBySideBars(entries));
  await writeFile(join(out, `${indexFiles.chart}.png`), png);
  await writeFile(join(out, `${indexFiles.chart}.svg`), svg);
  await writeFile(join(out, indexFiles.text), sideBySideMarkdown(entries, paths));
  context.stdout(`index: ${relative(process.cwd(), join(out, indexFiles.text))}\n`);
  return exitCodes.pass;
}

/** A path for a link. */
function pathFrom(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}
