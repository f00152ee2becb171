/** `compare`: two runs side by side. */
import { exitCodes } from '../base/errors.ts';
import { jsonText } from '../base/foreign-text.ts';
import { readRun } from '../verdict/record/read-run.ts';
import { examples } from './options/examples.ts';
import { compareRuns, comparisonText } from './print/comparison.ts';
import type { CliCommand } from './program.ts';

/** Exits 0 whatever differs: that is no error. */
export const compare = {
  define: (program, callOf) =>
    program
      .command('compare')
      .description('show two runs side by side, and warn of what makes them unlike')
      .argument('<A>', "a run's folder, such as reports/measure/latest")
      .argument('<B>', 'the other one')
      .option('--json', 'the comparison on stdout as JSON')
      .addHelpText(
        'after',
        examples(
          `${callOf('compare')} reports/E5/latest reports/E1/latest`,
          `${callOf('compare')} reports/measure/RUN-1 reports/measure/RUN-2 --json`,
        ),
      ),
  run: async (context, a: string, b: string, options: { json?: true }) => {
    const comparison = compareRuns(await readRun(a), await readRun(b));
    context.stdout(options.json === true ? jsonText(comparison) : comparisonText(comparison));
    return exitCodes.pass;
  },
} satisfies CliCommand;
