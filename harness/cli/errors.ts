/** `errors`: what a code means and what to do; also makes docs/errors.md. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCatalog, type ErrorCode } from '../base/error-catalog.ts';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { examples } from './options/examples.ts';
import { errorEntry, errorsPage } from './print/errors-page.ts';
import type { CliCommand } from './program.ts';

/** Prints one entry of the catalogue, or all; with --write, makes the page in docs/. */
export const errors = {
  define: (program) =>
    program
      .command('errors')
      .description('what the code of an error means, and what to do')
      .argument('[code]', 'the word in brackets, such as engine-absent; without one, all')
      .option('--write', 'make docs/errors.md of them')
      .addHelpText('after', examples('npm run errors', 'npm run errors -- engine-absent')),
  run: async (context, code: string | undefined, options: { write?: true }) => {
    if (options.write === true) {
      await writeFile(join(context.projectFolder, 'docs', 'errors.md'), errorsPage());
      context.stdout('docs/errors.md is as the catalogue has it.\n');
      return exitCodes.pass;
    }
    const codes = Object.keys(errorCatalog) as ErrorCode[];
    const asked = code === undefined ? codes : codes.filter((each) => each === code);
    if (asked.length === 0) {
      throw new HarnessError('option-value', `There is no error ${JSON.stringify(code)}.`, {
        hint: 'docs/errors.md has them all.',
      });
    }
    context.stdout(asked.map(errorEntry).join('\n'));
    return exitCodes.pass;
  },
} satisfies CliCommand;
