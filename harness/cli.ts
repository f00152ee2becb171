/** The command line of a checkout. */
import { advise } from './cli/advise.ts';
import { baseline } from './cli/baseline.ts';
import { bench } from './cli/bench.ts';
import { calibrate } from './cli/calibrate.ts';
import { clean } from './cli/clean.ts';
import { compare } from './cli/compare.ts';
import { doctor } from './cli/doctor.ts';
import { experiment } from './cli/experiment.ts';
import { gate } from './cli/gate.ts';
import { index } from './cli/index.ts';
import { init } from './cli/init.ts';
import { measure } from './cli/measure.ts';
import { merge } from './cli/merge.ts';
import { packSeries } from './cli/pack-series.ts';
import { runProgram } from './cli/program.ts';
import { query } from './cli/query.ts';
import { report } from './cli/report.ts';
import { schema } from './cli/internal/schema.ts';
import { setup } from './cli/internal/setup.ts';
import { verdict } from './cli/verdict.ts';
import { verify } from './cli/verify.ts';

const commands = [
  ...[
    experiment,
    measure,
    init,
    advise,
    gate,
    merge,
    baseline,
    calibrate,
    bench,
    verdict,
    report,
    verify,
    query,
    compare,
    index,
  ],
  ...[packSeries, schema, clean, doctor, setup],
];

const afterHelp = `
Exit codes:
  0    the experiment's expectations were met
  1    an expectation was missed
  2    wrong usage
  3    inconclusive, or cut short: no claim can be made
  4    this machine cannot run it (engine, image, rights)
  130  interrupted by Ctrl-C (143 by SIGTERM)`;

await runProgram(commands, { afterHelp });
