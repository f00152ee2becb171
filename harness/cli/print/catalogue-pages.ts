/** docs/errors.md, docs/checks.md and docs/contract.md, made from the catalogue of errors and the tables of checks. */
import { errorGroups, type CatalogEntry } from '../../base/error-catalog.ts';
import { checks as contractChecks, type Fault } from '../../doctor/contract/checks.ts';
import { checks } from '../../verdict/checks.ts';

/** The head of a page that is made. */
const pageHead = (title: string, source: string): string =>
  `# ${title}\n\nMade from ${source} by \`npm run schema\` in a checkout; do not edit.\n`;
const commandsNote =
  'Commands are written as in a checkout; from the package, `npm run experiment E5 -- --rate 9` is `npx restart-proof experiment E5 --rate 9`.';

/** docs/errors.md. */
export function errorsPage(): string {
  const groups = Object.entries(errorGroups).map(
    ([title, entries]) =>
      `## ${title}\n\n${Object.entries<CatalogEntry>(entries)
        .map(([code, { meaning, advice }]) => `### ${code}\n\n${meaning}\n\n${advice}\n`)
        .join('\n')}`,
  );
  return `${pageHead('Errors', 'harness/base/error-catalog.ts')}
${commandsNote}

An error is a sentence on what happened, with its code in brackets, and below it what to do:

    error: There is no experiment "E9". [experiment-unknown]
    There are E0, E1, E2, E3, E4, E5, E6, E7, E8; \`npm run experiment list\` tells what each asks.

\`--verbose\` (or RESTART_PROOF_VERBOSE=1) adds the stack and the causes. Otherwise exit code 1
is no error: an expectation was missed, and the run's report says which.

${groups.join('\n')}`;
}

/** docs/checks.md. */
export function checksPage(): string {
  const entries = checks.map(
    ({ id, question, limit, advice }) => `### ${id}\n\n${question}\n\n- Limit: ${limit}\n- What to do: ${advice}\n`,
  );
  return `${pageHead('Checks', 'harness/verdict/checks.ts')}
A run is believed only when every check holds; else it is inconclusive, and never a pass. A reason ends with the id of its
check: \`Requests left late: … [late-schedule]\`. Three ids are no checks: \`expectation\` (a figure that the experiment expected
otherwise: the run fails), \`aborted\` (the run was cut short) and \`too-few-restarts\` (a claim needs more of them).

Drops that no lateness can cause stand on a late machine, too: then the run fails, and the checks are told beside it.

${entries.join('\n')}`;
}

/** docs/contract.md. */
export function contractPage(): string {
  const sections = Object.entries(contractChecks).map(([id, { question, how, faults }]) => {
    const entries = Object.entries<Fault>(faults).map(
      ([name, { costs, change }]) => `- **${name}**. ${costs}\n  What to change: ${change}\n`,
    );
    return `### ${id}: ${question}\n\n${how}\n\n${entries.join('')}`;
  });
  return `${pageHead('The contract', 'harness/doctor/contract/checks.ts')}
${commandsNote}

What a service must do so that a restart of it loses nothing. \`npm run doctor -- --app service.yaml\` starts yours in the lab,
stops and kills it some times, and says of each point: passed, failed (what was seen, what it costs, what to change), or not
applicable, and why. What a busy machine could have made look like a fault is looked at a second time.

${sections.join('\n')}`;
}
