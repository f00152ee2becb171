/** `compare`: two runs side by side. */
import { exitCodes } from '../base/errors.ts';
import { jsonText } from '../base/foreign-text.ts';
import { readRun } from '../verdict/record/read-run.ts';
import { compareRuns, comparisonText } from './print/comparison.ts';
import { command } from './command.ts';

/** Exits 0 whatever differs: that is no error. */
export const compare = command({
  name: 'compare',
  about: 'show two runs side by side, and warn of what makes them unlike',
  takes: [
    ['<A>', "a run's folder, such as reports/measure/latest"],
    ['<B>', 'the other one'],
  ],
  options: { '--json': 'the comparison on stdout as JSON' },
  examples: [
    'npm run compare -- reports/E5/latest reports/E1/latest',
    'npm run compare -- reports/measure/RUN-1 reports/measure/RUN-2 --json',
  ],
  run: async (context, a, b, options) => {
    const comparison = compareRuns(await readRun(a), await readRun(b));
    context.stdout(options.json === true ? jsonText(comparison) : comparisonText(comparison));
    return exitCodes.pass;
  },
});
