/** `calibrate`: is the instrument right in every case whose answer is known? */
import { command } from '../command.ts';

/** Exits 0 only when every case is right. */
export const calibrate = command({
  name: 'calibrate',
  about: 'check the instrument against servers that fail in known ways',
  options: {
    '--short': 'fewer cases and requests: half a minute instead of two and a half',
    '--peers': 'show beside it what autocannon, vegeta, oha and wrk say (five minutes more)',
    '--json': 'results on stdout, and nothing else there',
    '--out <folder>': 'where the tables go (default: reports/)',
    '--publish': 'write the tables to reports/calibration.md too, which the documentation names',
  },
  examples: ['npm run calibrate -- --short', 'npm run calibrate -- --peers --out /tmp/calibration'],
  run: async (context, options) => await (await import('./calibration.ts')).runCalibration(context, options),
});
