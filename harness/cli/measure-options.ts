/** The command line of `measure`, the same in a checkout and in the package. */
import type { Command } from 'commander';
import { addDeliveryOptions } from './options/delivery-options.ts';
import type { BudgetedOptions } from './measure-budgets.ts';
import { refuseArguments } from './options/refusals.ts';
import { collect } from './options/run-options.ts';
import type { MeasureOptions } from './options/service-options.ts';
import type { CliCommand } from './program.ts';

/** Exits with what came of the measurement, or of all that the budgets file names. */
export const measure = {
  define: (program, callOf) =>
    addDeliveryOptions(
      program
        .command('measure')
        .description('count every failed request of a service of your own, while a command of yours (a deploy) runs')
        .argument('[services...]', 'with --budgets: the services of the file to measure (default: all)')
        .option(
          '--budgets <file>',
          'services and what is allowed of each; options given here win over those in the file',
        )
        .option('--url <url>', 'the service to ask, http:// only')
        .option('--rate <n>', 'requests a second (default: 100)')
        .option('--duration <time>', 'how long to ask (default: 30s); with --while at least so long')
        .option('--method <name>', 'GET, POST, PUT, PATCH or DELETE (default: GET)')
        .option('--body <text>', 'body of each request, or @file; it is not written down')
        .option('--header <line>', 'a header "Name: value"; may be given again', collect)
        .option('--secret-header <name>', 'a header whose value is not written down; may be given again', collect)
        .option('--connections <kind>', 'kept, new or mixed, half and half (default: mixed)')
        .option('--expect-status <n>', 'the status that is ok (default: any from 200 to 299)')
        .option('--timeout <time>', 'what a request has from its due time to its whole answer (default: 30s)')
        .option('--max-connections <n>', 'connections open at once (default: rate × timeout, at most 8192)')
        .option('--max-head <size>', 'most bytes of an answer’s head that are read (default: 300KiB)')
        .option('--max-answer <size>', 'most bytes of an answer’s body that are read (default: 1GiB)')
        .option('--while <command>', 'run this under the load, and go on until the service is steady again')
        .option('--while-timeout <time>', 'the longest that it may take; then it is ended, and the run (default: 30m)')
        .option('--even-if-failing', 'run the command although the service does not answer as expected before it')
        .option('--must-change', 'exit 3 if nothing of the service was seen to change')
        .option('--settle <time>', 'how long it must answer without a failure after the command (default: 3s)')
        .option(
          '--settle-timeout <time>',
          'the longest to wait for that; not back by then fails, exit 1 (default: 60s)',
        )
        .option('--max-dropped <n>', 'more dropped requests than this fail, exit 1 (default: 0)')
        .option('--max-gap <time>', 'a longer time in which nobody was answered fails, exit 1 (default: any)')
        .option('--max-wait <time>', 'a longer wait for an answer fails, exit 1 (default: any)')
        .option('--seed <n>', 'makes the order of kept and new connections the same again')
        .option('--json', 'verdict.json on stdout, and nothing else there')
        .option('--out <folder>', 'where the run goes (default: reports/ where you are)')
        .option(
          '--baseline',
          'before and after the load, 3 s of autocannon: what the service can do (sends as fast as it can)',
        )
        .option('--yes-i-own-this', 'allow more than 1000 requests a second to another machine'),
    ).addHelpText('after', helpText(callOf('measure'))),
  run: async (context, services: string[], options: MeasureOptions & BudgetedOptions, command: Command) => {
    if (options.budgets !== undefined) {
      const known = command.options.map(({ long, required, parseArg }) => ({
        name: (long ?? '').slice(2),
        takes: !required ? ('nothing' as const) : parseArg === undefined ? ('a value' as const) : ('values' as const),
      }));
      const { measureBudgets } = await import('./measure-budgets.ts');
      return await measureBudgets(context, services, { ...options, budgets: options.budgets }, known);
    }
    refuseArguments(services, 0, 'measure takes options only');
    const { measureCommand } = await import('./measure.ts');
    return await measureCommand(context, options);
  },
} satisfies CliCommand;

function helpText(call: string): string {
  return `
Each request carries an X-Request-Id of its own, is sent once, and is counted once. Load goes only to --url.

The service is asked for a second and at least five requests before the command; if one of them is not answered as
expected, the command is not run. It must not return before the deploy has ended: if it does, --settle must be longer than
the rest takes.

The command is run by \`bash -eo pipefail\` (with inherit_errexit) where bash is installed, else by \`sh -e\`, or by what its
\`#!\` line names: a line that fails ends it, and the run makes no claim. No shell tells of a failure in a condition
(\`if a\`, \`a || b\`, \`a && b\` before the last), behind \`&\`, or in \`echo $(a)\`. It has no terminal. What it leaves running
goes on after the run, and is ended with a run that is cut short.

\${NAME} in --url, --header and --body is that variable of the environment ($\${NAME} stands for itself); in --while the
shell sees to it. Values of Authorization, Cookie and similar headers are never written down.

Examples:
  ${call} --url http://127.0.0.1:8080/ --rate 100 --duration 30s
  ${call} --url http://127.0.0.1:8080/ --while 'systemctl restart shop' --max-dropped 0
  ${call} --url http://127.0.0.1:8080/orders --method POST --body @order.json \\
    --header 'Content-Type: application/json' --connections kept --while './deploy.sh'
  ${call} --budgets budgets.yaml --junit junit.xml`;
}
