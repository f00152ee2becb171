/** `report`: makes a run's report and charts again from its verdict and files. */
import { join, resolve } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { plainText } from '../run/plain-file.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import { pathText } from './print/path.ts';
import { command } from './command.ts';

/** Refuses a run that cannot be written and has another report than its files give, unless --out is given. */
export const report = command({
  name: 'report',
  about: "make a run's report and charts again from its verdict and files",
  takes: [['<run>', "the run's folder, such as reports/measure/latest"]],
  options: { '--out <folder>': 'write report.md, report.html and charts/ there, and leave the run as it is' },
  notes: `Files that come out the same are not written again. A packed run (reports/reference) and a folder that cannot be written
stay as they are: name another folder with --out.`,
  examples: ['npm run report -- reports/E5/latest', 'npm run report -- reports/measure/latest --out /tmp/report'],
  run: async (context, folder, options) => {
    const { writeReport } = await import('../report/write-report.ts');
    const { bringBack, copyReport, onCopy, whyReadOnly } = await import('./runs/working-copy.ts');
    const run = await openRun(folder);
    const out = options.out === undefined ? null : resolve(options.out);
    await onCopy(run, async (copy) => {
      await writeReport(copy);
      if (out !== null) {
        await copyReport(copy, out);
        return;
      }
      const why = await whyReadOnly(run);
      if (why === null) {
        await bringBack(run, copy);
        return;
      }
      const text = (where: string) => plainText(join(where, runFiles.report)).catch(() => '');
      if ((await text(run.path)) === (await text(copy))) return;
      throw new HarnessError('out-not-writable', `${folder} ${why}, and its report is another than its files give.`);
    });
    context.stdout(`report: ${pathText(join(out ?? run.path, runFiles.report))}\n`);
    return exitCodes.pass;
  },
});
