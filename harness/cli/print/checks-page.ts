/** docs/checks.md, made from the table of checks. */
import { checks } from '../../verdict/checks.ts';

/** The page as Markdown. */
export function checksPage(): string {
  const entries = checks.map(
    ({ id, question, limit, advice }) => `### ${id}\n\n${question}\n\n- Limit: ${limit}\n- What to do: ${advice}\n`,
  );
  return `# Checks

Made from harness/verdict/checks.ts by \`npm run schema\`; do not edit.

A run is believed only when every check holds; else it is inconclusive, and never a pass. A reason ends with the id of its
check: \`Requests left late: … [late-schedule]\`. Three ids are no checks: \`expectation\` (a figure that the experiment expected
otherwise: the run fails), \`aborted\` (the run was cut short) and \`too-few-restarts\` (a claim needs more of them).

Drops that no lateness can cause stand on a late machine, too: then the run fails, and the checks are told beside it.

${entries.join('\n')}`;
}
