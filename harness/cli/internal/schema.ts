/** `schema`: publishes the JSON Schema of verdict.json. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes } from '../../base/errors.ts';
import { verdictJsonSchemaText, verdictSchemaFile } from '../../verdict/json-schema.ts';
import type { CliCommand } from '../program.ts';

/** Writes docs/verdict.schema.json. */
export const schema = {
  define: (program) =>
    program
      .command('schema', { hidden: true })
      .description('write docs/verdict.schema.json, the JSON Schema of verdict.json'),
  run: async ({ projectFolder, stdout }) => {
    await writeFile(join(projectFolder, verdictSchemaFile), verdictJsonSchemaText());
    stdout(`schema: ${verdictSchemaFile}\n`);
    return exitCodes.pass;
  },
} satisfies CliCommand;
