/** The JSON Schema of verdict.json, for those who read it with tools of their own. */
import { z } from 'zod';
import { verdictSchema } from './verdict.ts';

/** Where the published copy lies, from the project's folder. */
export const verdictSchemaFile = 'docs/verdict.schema.json';

/**
 * A JSON Schema of draft 7, which validators of every language read.
 * @param io what is read, with all that may be left out, or what comes of it
 */
export function draft7Schema(of: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  return z.toJSONSchema(of, {
    target: 'draft-7',
    io,
    override: ({ jsonSchema }) => {
      // Said of every whole number and every key: true of all JSON that can be read at all.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      const { propertyNames } = jsonSchema;
      if (typeof propertyNames === 'object' && Object.keys(propertyNames).join() === 'type') {
        delete jsonSchema.propertyNames;
      }
      // Zod's own formats: a pattern says the same to everybody.
      if (jsonSchema.pattern !== undefined) delete jsonSchema.format;
    },
  });
}

/** The schema of verdict.json. */
export function verdictJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = draft7Schema(verdictSchema, 'output');
  return {
    $schema,
    $id: 'urn:restart-proof:verdict:1',
    title: 'verdict.json of restart-proof',
    description:
      'The verdict of a run. Times in Us are microseconds since the first due time, those in Ms last so long.',
    ...rest,
  };
}

/** The text of the published file. */
export function verdictJsonSchemaText(): string {
  return `${JSON.stringify(verdictJsonSchema(), null, 2)}\n`;
}
