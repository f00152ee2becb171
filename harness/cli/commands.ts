/** Every command. */
import { advise } from './advise.ts';
import { baseline } from './baseline.ts';
import { clean } from './clean.ts';
import type { CliCommand } from './command.ts';
import { compare } from './compare.ts';
import { doctor } from './doctor.ts';
import { experiment } from './experiment.ts';
import { gate } from './gate.ts';
import { index } from './index.ts';
import { init } from './init.ts';
import { bench } from './instrument/bench.ts';
import { calibrate } from './instrument/calibrate.ts';
import { schema } from './internal/schema.ts';
import { setup } from './internal/setup.ts';
import { measure } from './measure.ts';
import { merge } from './merge.ts';
import { packSeries } from './pack-series.ts';
import { query } from './query.ts';
import { report } from './report.ts';
import { verdict } from './verdict.ts';
import { verify } from './verify.ts';

/** In the order in which the help of a checkout lists them. */
export const commands: readonly CliCommand[] = [
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
