/** docs/service-yaml.md: every field and placeholder is on it, no other, and its examples are read without an error. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { emptiedFolder } from '../base/testing-folder.ts';
import { fieldPathsOf } from '../experiment/field-paths.ts';
import { placeholders } from '../experiment/own-service.ts';
import { readOwnService, writtenServiceSchema } from './read-service.ts';

const page = await readFile(new URL('../../docs/service-yaml.md', import.meta.url), 'utf8');
const folder = emptiedFolder();

/** What stands in backticks in the first column of the tables. */
const rows = [...page.matchAll(/^\| (`.*?) \|/gmu)].flatMap(([, cell = '']) => cell.match(/(?<=`)[^`,]+(?=`)/gu) ?? []);

it('has a row for each field and each placeholder', () => {
  const fields = fieldPathsOf(writtenServiceSchema)
    .map((path) => path.replaceAll('.*', ''))
    .filter((path) => !path.startsWith('requests.'));
  const parts = ['health', 'version', 'writes', 'release'];
  const expected = [...new Set(fields)].filter((path) => !parts.includes(path));
  expect(rows.toSorted()).toEqual([...expected, ...Object.keys(placeholders).map((name) => `{${name}}`)].sort());
});

it.each([...page.matchAll(/```yaml\n(name:.*?)```/gsu)].map(([, text = '']) => text))('%s is read', async (text) => {
  const files: Record<string, string> = {
    shop: '',
    'app.py': '',
    'deploy/shop.service': '[Service]\nExecStart=/usr/bin/gunicorn\n',
    'deploy/shop.socket': '[Socket]\nListenStream=8000\n',
    'deploy/shop.env': '',
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content, { mode: 0o755 });
  }
  const path = join(folder, 'service.yaml');
  await writeFile(path, text);
  const { service } = await readOwnService(path, { PGPASSWORD: 's3cr3t' });
  expect(service.name).toBe('shop');
});
