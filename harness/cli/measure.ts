/** `measure`: the instrument on its own, for a service that the user runs. */
import { jsonText } from '../base/foreign-text.ts';
import { checkDelivery } from './options/delivery-options.ts';
import { measureOptions } from './options/measure-options.ts';
import { usageError } from '../gate/refusals.ts';
import { refuseArguments } from './options/refusals.ts';
import { exitCodeOf, summaryLines } from './print/run-summary.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { command } from './command.ts';

const notes = `Each request carries an X-Request-Id of its own, is sent once, and is counted once. Load goes only to --url.

The service is asked for a second and at least five requests before the command; if one of them is not answered as
expected, the command is not run. It must not return before the deploy has ended: if it does, --settle must be longer than
the rest takes.

The command is run by \`bash -eo pipefail\` (with inherit_errexit) where bash is installed, else by \`sh -e\`, or by what its
\`#!\` line names: a line that fails ends it, and the run makes no claim. No shell tells of a failure in a condition
(\`if a\`, \`a || b\`, \`a && b\` before the last), behind \`&\`, or in \`echo $(a)\`. It has no terminal. What it leaves running
goes on after the run, and is ended with a run that is cut short.

With --restarts 20 the command runs 20 times under the one load, with RESTART=1 to 20 and RESTARTS=20 in its environment. Each
begins when the service has been steady since the one before, at a time that --seed draws, and each counts as one restart: a
command that itself deploys ten times is one. The load ends with the last. A command that fails, or a service that is not
back, ends the series. --while-timeout, --settle, --settle-timeout and --must-change hold for each restart.

--claim 99 asks whether 99 % of all restarts are clean, with 95 % confidence; with too few restarts to tell, exit 3. Clean
restarts in a row that a claim takes: 90 % 29, 95 % 59, 99 % 299, 99.9 % 2995.

--compare a.yaml b.yaml measures two deploys in turn, A B B A, and says which drops less: bad restarts by Fisher's exact test,
drops by an exact permutation test, restart by restart; together they err in 5 of 100 comparisons of equals. Each file is as
for --budgets, names one service and has its deploy as \`while\`. Exit 0 whichever is better, and 3 where it cannot be told
because a measurement cannot be trusted.

--hold 200 --hold-kind sse --hold-path /events keeps 200 event streams open beside the load, and opens each again when it ends;
websocket, idle and slow-response are the other kinds. The report says how the service ended each, in which step of the deploy,
and how long until it was open again. It fails nothing unless --max-cut says so; if none was ever open, exit 3.

\${NAME} in --url, --hold-path, --header and --body is that variable of the environment ($\${NAME} stands for itself); in --while the
shell sees to it. Values of Authorization, Cookie and similar headers are never written down.

--requests FILE asks a mix: a list in YAML with path, method, weight, headers, body and what the answer must be, such as
\`- { path: /orders, method: POST, weight: 2, body: '{"order": "{id}"}', expect: { status: 201, json: { $.state: new } } }\`.
--header and --expect-status then hold for each request that does not say otherwise. docs/measure.md has every field.

--journal shop.service reads what systemd says of the unit while the load goes on (never what the service says), and names the
cause of each drop with its line. It needs root, or the group systemd-journal, on the machine that runs the service.

--access-log FILE reads the lines that server or proxy write while the load goes on (nginx, Apache, HAProxy, Caddy, Traefik), also
across rotation, and tells of each drop what they say: answered after all, answered 502, never seen. By the X-Request-Id that each
request carries where the log has it, else by time, which is called likely. Lines of others are counted and not kept.

A name is looked up again every second, and new connections follow it; --resolve names its address instead. --url
unix:/run/shop.sock:/path asks a Unix socket, with Host: localhost.

https: certificates are checked as browsers do, against Node's own list of authorities or --ca, and for the host of --url,
which is also sent as SNI. A handshake that fails is a dropped request with the outcome \`tls\`; the reason says why.`;

/** Exits with what came of the measurement, or of all that the budgets file names. */
export const measure = command({
  name: 'measure',
  about: 'count every failed request of a service of your own, while a command of yours (a deploy) runs',
  takes: [['[services...]', 'with --budgets: the services of the file to measure (default: all)']],
  options: measureOptions,
  notes,
  examples: [
    'npm run measure -- --url http://127.0.0.1:8080/ --rate 100 --duration 30s',
    "npm run measure -- --url http://127.0.0.1:8080/ --while 'systemctl restart shop' --max-dropped 0",
    'npm run measure -- --url http://127.0.0.1:8080/orders --method POST --body @order.json \\',
    "  --header 'Content-Type: application/json' --connections kept --while './deploy.sh'",
    `npm run measure -- --url http://127.0.0.1:8080/ --while './deploy.sh "v$RESTART"' --restarts 20 --every 10s`,
    "npm run measure -- --url http://127.0.0.1:8080/ --while 'systemctl restart shop' --journal shop",
    "npm run measure -- --url http://127.0.0.1:8080/ --hold 200 --hold-kind sse --hold-path /events --while './deploy.sh'",
    "npm run measure -- --url https://127.0.0.1:8443/ --ca test-ca.pem --while './deploy.sh'",
    "npm run measure -- --url unix:/run/shop.sock --while 'systemctl restart shop'",
    'npm run measure -- --budgets budgets.yaml --junit junit.xml',
    'npm run measure -- --compare old.yaml new.yaml --restarts 20 --every 5s',
  ],
  run: async (context, services, options) => {
    await checkDelivery(options);
    const { budgets, compare } = options;
    if (compare !== undefined) {
      refuseArguments(services, 0, 'measure --compare takes two files');
      const { measureCompared } = await import('./gate/compared.ts');
      return await measureCompared(context, { ...options, compare });
    }
    if (options.rounds !== undefined) throw usageError('--rounds is about --compare, which is missing.');
    if (budgets !== undefined) {
      const { measureBudgets } = await import('./gate/measured.ts');
      return await measureBudgets(context, services, { ...options, budgets });
    }
    refuseArguments(services, 0, 'measure takes options only');
    const { measureOnce } = await import('./runs/measurement.ts');
    const { deliverMeasured } = await import('./gate/measured.ts');
    const { folder, verdict } = await measureOnce(context, options);
    if (options.json === true) context.stdout(jsonText(verdict));
    else context.stdout(`${summaryLines(verdict, folder, context)}${hintFor(verdict)}`);
    await deliverMeasured(context, folder, options);
    return exitCodeOf(verdict.verdict);
  },
});

/** One clean restart looks like a proof, and is none. */
function hintFor({ verdict, restarts, badRestarts }: Verdict): string {
  if (verdict !== 'pass' || restarts !== 1 || badRestarts > 0) return '';
  return 'One restart bounds little (0 of 1 is at most 95 %): --restarts 20 makes twenty under one load.\n';
}
