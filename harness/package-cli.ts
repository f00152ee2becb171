/** The command line of the package, for use from another project. */
import { advise } from './cli/advise.ts';
import { baseline } from './cli/baseline.ts';
import { calibrate } from './cli/calibrate.ts';
import { clean } from './cli/clean.ts';
import { compare } from './cli/compare.ts';
import { doctor } from './cli/doctor.ts';
import { experiment } from './cli/experiment.ts';
import { gate } from './cli/gate.ts';
import { init } from './cli/init.ts';
import { setup } from './cli/internal/setup.ts';
import { measure } from './cli/measure.ts';
import { merge } from './cli/merge.ts';
import { runProgram } from './cli/program.ts';
import { query } from './cli/query.ts';
import { report } from './cli/report.ts';
import { verdict } from './cli/verdict.ts';
import { verify } from './cli/verify.ts';

const commands = [
  ...[measure, init, verdict, report, verify, query, compare],
  ...[setup, doctor, experiment, advise, gate, merge, baseline, calibrate, clean],
];

const afterHelp = `
Exit codes:
  0    what was expected holds: no more requests were dropped than --max-dropped allows, an experiment's expectations
  1    it does not
  2    wrong usage
  3    inconclusive, cut short, or the command failed: no claim can be made
  4    this machine cannot run it (engine, image, rights)
  130  interrupted by Ctrl-C (143 by SIGTERM)

Pages:
  docs/your-service.md  how to begin with a service of your own
  docs/measure.md       every option of measure
  docs/ci.md            budgets and CI
  docs/experiments.md   the experiments; they run in containers, which setup prepares once`;

await runProgram(commands, { isPackage: true, afterHelp });
