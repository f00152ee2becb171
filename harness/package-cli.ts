/** The command line of the package, for use from another project. */
import { commands } from './cli/commands.ts';
import { runProgram } from './cli/program.ts';

/** What needs no lab comes first, then what prepares one. */
const first = ['measure', 'init', 'verdict', 'report', 'verify', 'query', 'compare', 'setup', 'doctor'];
/** These keep the checkout itself. */
const ofCheckout = ['bench', 'index', 'pack-series', 'schema'];
const others = commands.filter(({ name }) => ![...first, ...ofCheckout].includes(name));
const packaged = [...first.flatMap((name) => commands.filter((command) => command.name === name)), ...others];

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

await runProgram(packaged, { isPackage: true, afterHelp });
