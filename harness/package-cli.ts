/** The command line of the package, for use from another project: what needs no lab. */
import { compare } from './cli/compare.ts';
import { init } from './cli/init.ts';
import { measure } from './cli/measure.ts';
import { runProgram } from './cli/program.ts';
import { query } from './cli/query.ts';
import { report } from './cli/report.ts';
import { verdict } from './cli/verdict.ts';
import { verify } from './cli/verify.ts';

const afterHelp = `
Exit codes:
  0    no more requests were dropped than --max-dropped allows
  1    more were
  2    wrong usage
  3    inconclusive, cut short, or the command failed: no claim can be made
  130  interrupted by Ctrl-C (143 by SIGTERM)

How to begin is in docs/your-service.md, every option in docs/measure.md, budgets and CI in docs/ci.md.
The experiments with systemd and Traefik run from a checkout of the project.`;

await runProgram([measure, init, query, report, verdict, verify, compare], {
  isPackage: true,
  afterHelp,
  callOf: (command) => `npx restart-proof ${command}`,
});
