/** `verdict`: makes a run's verdict again from its files. */
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { jsonText, shownLine } from '../base/foreign-text.ts';
import { explained } from '../lab/engine/engine-errors.ts';
import { plainText } from '../run/plain-file.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import { summaryLines, exitCodeOf } from './print/run-summary.ts';
import { command } from './command.ts';

/** Exits as the run did. */
export const verdict = command({
  name: 'verdict',
  about: "make a run's verdict again from its files",
  takes: [['<run>', "the run's folder, such as reports/measure/latest"]],
  options: { '--json': 'verdict.json on stdout, and nothing else there' },
  notes: `The folder is written to only where the verdict is another than the one in it. A packed run (reports/reference) and a
folder that cannot be written stay as they are.`,
  examples: ['npm run verdict -- reports/E5/latest', 'npm run verdict -- reports/measure/latest --json'],
  run: async (context, folder, options) => {
    const { judgeRun } = await import('../verdict/judge.ts');
    const { finishLedger } = await import('../run/finish-ledger.ts');
    const { finishAbandoned } = await import('../conduct/service/service-files.ts');
    const { bringBack, onCopy, whyReadOnly } = await import('./runs/working-copy.ts');
    const run = await openRun(folder);
    const judged = await onCopy(run, async (copy) => {
      // A run that was cut short may have left half-written files.
      const isFinished = (await finishAbandoned(copy)) || (await finishLedger(copy));
      const before = isFinished ? null : await verdictText(copy);
      const made = await judgeRun(copy);
      if ((await verdictText(copy)) === before) return made;
      const why = await whyReadOnly(run);
      if (why !== null) {
        context.stderr(`note: ${run.path} ${why}: the verdict in it is another, and stays as it is\n`);
        return made;
      }
      if (run.has(runFiles.report)) {
        const { writeReport } = await import('../report/write-report.ts');
        await writeReport(copy);
      }
      // On a full disk the verdict is told all the same.
      await bringBack(run, copy).catch((error: unknown) => {
        context.stderr(`note: ${run.path} stays as it is: ${shownLine(messageOf(explained(error) ?? error))}\n`);
      });
      return made;
    });
    context.stdout(options.json === true ? jsonText(judged) : summaryLines(judged, run.path, context));
    return exitCodeOf(judged.verdict);
  },
});

async function verdictText(folder: string): Promise<string | null> {
  return await plainText(join(folder, runFiles.verdict)).catch(() => null);
}
