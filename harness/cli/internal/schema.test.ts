import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { checks } from '../../verdict/checks.ts';
import { madePages } from './schema.ts';

const project = fileURLToPath(new URL('../../../', import.meta.url));

it('what docs/ has of declarations is as they are now: `npm run schema` writes it', async () => {
  for (const [name, text] of Object.entries(await madePages(project))) {
    expect(await readFile(join(project, name), 'utf8'), name).toBe(text);
  }
});

it('no two checks have one id', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
});
