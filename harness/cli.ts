/** The command line of a checkout. */
import { commands } from './cli/commands.ts';
import { runProgram } from './cli/program.ts';

const afterHelp = `
Exit codes:
  0    the experiment's expectations were met
  1    an expectation was missed
  2    wrong usage
  3    inconclusive, or cut short: no claim can be made
  4    this machine cannot run it (engine, image, rights)
  130  interrupted by Ctrl-C (143 by SIGTERM)`;

await runProgram(commands, { afterHelp });
