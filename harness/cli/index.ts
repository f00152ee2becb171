/** `index`: the experiments side by side. */
import { join, relative, resolve, sep } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import type { SideBySideEntry } from '../report/side-by-side.ts';
import { runFiles } from '../run/run-folder.ts';
import { pathText } from './print/path.ts';
import { command, type Typed } from './command.ts';
import { writeFiles } from './runs/out-folder.ts';
import { readSeries, type SeriesEntry } from './runs/series.ts';

const options = {
  '--series <folder>': 'where the runs lie (default: reports/ and reports/reference/)',
  '--out <folder>': 'where the index goes (default: reports/index/, which git ignores)',
  '--write': 'write reports/README.md, which is committed, from the kept runs in reports/reference/',
} as const;
type IndexOptions = Typed<typeof options>;

/**
 * Writes README.md and its chart. The runs of the day stay out of what is committed: reports/README.md shows the kept runs
 * alone, and is written with --write only. The same runs give the same bytes.
 */
export const index = command({
  name: 'index',
  about: 'write the experiments side by side, from one run of each',
  options,
  notes: `Takes the newest run of each experiment that may be cited and was run as its file has it. A run that may not be cited
never takes the place of one that may.`,
  examples: ['npm run index', 'npm run index -- --write', 'npm run index -- --series /tmp/runs --out /tmp/index'],
  run: async (context, options) => {
    const { series, out } = foldersOf(context.reportsFolder, options);
    const entries = (await readSeries(series)).map((entry) => sideBySideEntry(entry, out));
    if (entries.every(({ run }) => run === null)) {
      throw new HarnessError('run-missing', `${series.map((each) => pathText(each)).join(' and ')}: no run is there.`, {
        hint: 'Make runs with `npm run experiment all`, or name a folder that has some with --series.',
      });
    }
    const { drawSideBySide } = await import('../report/charts/side-by-side-chart.ts');
    const { sideBySideBars, sideBySideMarkdown } = await import('../report/side-by-side.ts');
    const glossaryPath = pathFrom(out, join(context.projectFolder, 'docs/glossary.md'));
    const { png, svg } = drawSideBySide(sideBySideBars(entries));
    const text = sideBySideMarkdown(entries, { chartPath: 'side-by-side.svg', glossaryPath });
    await writeFiles(out, { 'side-by-side.png': png, 'side-by-side.svg': svg, 'README.md': text });
    context.stdout(`index: ${pathText(join(out, 'README.md'))}\n`);
    return exitCodes.pass;
  },
});

function foldersOf(reports: string, options: IndexOptions): { series: string[]; out: string } {
  const kept = join(reports, 'reference');
  if (options.write === true) {
    if (options.series === undefined && options.out === undefined) return { series: [kept], out: reports };
    throw new HarnessError('option-conflict', '--write has its own folders: it goes without --series and --out.');
  }
  return {
    series: options.series === undefined ? [reports, kept] : [resolve(options.series)],
    out: options.out === undefined ? join(reports, 'index') : resolve(options.out),
  };
}

function sideBySideEntry({ file: { id, title, question }, run }: SeriesEntry, out: string): SideBySideEntry {
  if (run === null) return { id, title, question, run: null };
  const { run: record, verdict, folder, asWritten, citable } = run;
  const reportPath = pathFrom(out, join(folder, runFiles.report));
  return { id, title, question, run: { record, verdict, reportPath, asWritten, citable } };
}

/** A path for a link. */
function pathFrom(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}
