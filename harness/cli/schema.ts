/** `schema`: publishes the JSON Schema of verdict.json. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { verdictJsonSchemaText, verdictSchemaFile } from '../verdict/json-schema.ts';
import type { Context } from './context.ts';

/** Writes docs/verdict.schema.json. */
export async function schemaCommand({ projectFolder, stdout }: Context): Promise<number> {
  await writeFile(join(projectFolder, verdictSchemaFile), verdictJsonSchemaText());
  stdout(`schema: ${verdictSchemaFile}\n`);
  return exitCodes.pass;
}
