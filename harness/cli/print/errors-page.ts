/** docs/errors.md, made from the catalogue. */
import { errorCatalog, errorGroups, type CatalogEntry, type ErrorCode } from '../../base/error-catalog.ts';

/** The page as Markdown. */
export function errorsPage(): string {
  const groups = Object.entries(errorGroups).map(
    ([title, entries]) =>
      `## ${title}\n\n${Object.entries<CatalogEntry>(entries)
        .map(([code, { meaning, advice }]) => `### ${code}\n\n${meaning}\n\n${advice}\n`)
        .join('\n')}`,
  );
  return `# Errors

Made from harness/base/error-catalog.ts by \`npm run errors -- --write\`; do not edit.

An error is a sentence on what happened, with its code in brackets, and below it what to do:

    error: There is no experiment "E9". [experiment-unknown]
    There are E0, E1, E2, E3, E4, E5, E6, E7; \`npm run experiment list\` tells what each asks.

\`--verbose\` (or RESTART_PROOF_VERBOSE=1) adds the stack and the causes. \`npm run errors -- engine-absent\` prints what
this page says of a code. Otherwise exit code 1 is no error: an expectation was missed, and the run's report says which.

${groups.join('\n')}`;
}

/** What the catalogue says of one code, as text. */
export function errorEntry(code: ErrorCode): string {
  const { exitCode, meaning, advice } = errorCatalog[code];
  return `${code} (exit code ${exitCode})\n${meaning}\n${advice}\n`;
}
