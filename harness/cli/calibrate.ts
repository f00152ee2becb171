/** `calibrate`: is the instrument right in every case whose answer is known? */
import type { CalibrationOptions } from './instrument/calibration.ts';
import { examples } from './options/examples.ts';
import type { CliCommand } from './program.ts';

/** Exits 0 only when every case is right. */
export const calibrate = {
  define: (program) =>
    program
      .command('calibrate')
      .description('check the instrument against servers that fail in known ways')
      .option('--short', 'fewer cases and requests: half a minute instead of two and a half')
      .option('--peers', 'show beside it what autocannon, vegeta, oha and wrk say (five minutes more)')
      .option('--json', 'results on stdout, and nothing else there')
      .option('--out <folder>', 'where the tables go (default: reports/)')
      .option('--publish', 'write the tables to reports/calibration.md too, which the documentation names')
      .addHelpText(
        'after',
        examples('npm run calibrate -- --short', 'npm run calibrate -- --peers --out /tmp/calibration'),
      ),
  run: async (context, options: CalibrationOptions) => {
    const { runCalibration } = await import('./instrument/calibration.ts');
    return await runCalibration(context, options);
  },
} satisfies CliCommand;
