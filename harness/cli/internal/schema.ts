/** `schema`: publishes what is made from declarations: the JSON Schemas of verdict.json and service.yaml, and pages of docs/. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes } from '../../base/errors.ts';
import { command } from '../command.ts';

/** Writes them into docs/. */
export const schema = command({
  name: 'schema',
  about:
    'write what docs/ has of declarations: verdict.schema.json, service.schema.json, data.md, checks.md, contract.md, errors.md',
  isHidden: true,
  run: async ({ projectFolder, stdout }) => {
    for (const [name, text] of Object.entries(await madePages(projectFolder))) {
      await writeFile(join(projectFolder, name), text);
      stdout(`schema: ${name}\n`);
    }
    return exitCodes.pass;
  },
});

/** The pages by their paths; the columns are those of a kept run. */
export async function madePages(projectFolder: string): Promise<Record<string, string>> {
  const { describeTables } = await import('../../verdict/dictionary.ts');
  const { openRunDatabase } = await import('../../verdict/evidence.ts');
  const { verdictJsonSchemaText, verdictSchemaFile } = await import('../../verdict/record/json-schema.ts');
  const { serviceJsonSchemaText, serviceSchemaFile } = await import('../../own-service/json-schema.ts');
  const { checksPage, contractPage, errorsPage } = await import('../print/catalogue-pages.ts');
  const { dataPage } = await import('../print/data-page.ts');
  const { database, open } = await openRunDatabase(join(projectFolder, 'reports', 'reference', 'E5'));
  try {
    return {
      [verdictSchemaFile]: verdictJsonSchemaText(),
      [serviceSchemaFile]: serviceJsonSchemaText(),
      'docs/data.md': dataPage(await describeTables(database, open.record)),
      'docs/checks.md': checksPage(),
      'docs/contract.md': contractPage(),
      'docs/errors.md': errorsPage(),
    };
  } finally {
    await database.close();
  }
}
