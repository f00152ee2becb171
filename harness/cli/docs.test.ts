/** What the pages for readers name is there: other pages and their headings, files, commands, options, variants, fields. */
import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../experiment/catalog.ts';
import { parseChange, resolveExperiment } from '../experiment/fields.ts';
import { addCommand, type CliCommand } from './command.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const inDocs = (await readdir(join(project, 'docs'))).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'reports/README.md'];
pages.push(...inDocs.map((name) => `docs/${name}`));
const texts = new Map(
  await Promise.all(pages.map(async (page) => [page, await readFile(join(project, page), 'utf8')] as const)),
);

const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

const program = new Command();
for (const name of await readdir(join(project, 'harness/cli'))) {
  if (!/^[a-z-]+\.ts$/u.test(name) || name.startsWith('testing')) continue;
  const module = (await import(new URL(name, import.meta.url).href)) as Record<string, CliCommand | undefined>;
  for (const part of Object.values(module)) if (part?.run !== undefined) addCommand(program, part);
}

/** A heading as GitHub makes an anchor of it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/gu, '-');

function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gmu)].map(([, heading = '']) => anchorOf(heading));
}

/** Every call of a command in a text: its name, and the words behind it. */
function callsIn(text: string): { name: string; words: string }[] {
  const call = /(?:npm run|npx restart-proof|node harness\/cli\.mjs) ([a-z][a-z:-]*)([^\n`#&|]*)/gu;
  return [...text.matchAll(call)].map(([, name = '', words = '']) => ({ name, words }));
}

describe.each([...texts])('%s', (page, text) => {
  it('links to pages, headings and files that are there', () => {
    const missing = [...text.matchAll(/\]\(([^)\s]+)\)/gu)].filter(([, link = '']) => {
      if (/^[a-z]+:/u.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(project, target))) return true;
      return anchor !== undefined && !anchorsIn(texts.get(target) ?? '').includes(anchor);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it('names files that are there', () => {
    const named = [...text.matchAll(/(?<![\w./<-])(?:harness|docs|containers|app-under-test)\/[\w./@-]*\w/gu)];
    expect(named.map(([path]) => path).filter((path) => !existsSync(join(project, path)))).toEqual([]);
  });

  it('calls commands with options that they have', () => {
    for (const { name, words } of callsIn(text)) {
      const command = program.commands.find((each) => each.name() === name);
      if (command === undefined) expect(scripts, `npm run ${name}`).toHaveProperty([name]);
      else {
        const options = [...words.matchAll(/ (--[a-z][a-z-]*)/gu)].map(([, option]) => option);
        const known = [...command.options.map(({ long }) => long), '--help', '--verbose'];
        expect(known, `${name}${words}`).toEqual(expect.arrayContaining(options));
      }
    }
  });

  it('runs experiments, variants and fields that there are', async () => {
    for (const { name, words } of callsIn(text)) {
      const id = /^ (E[0-7])\b/u.exec(words)?.[1];
      if (name !== 'experiment' || id === undefined) continue;
      const variant = /--variant ([a-z][a-z0-9-]*)/u.exec(words)?.[1];
      const changes = [...words.matchAll(/--set ([\w.]+=[\w.-]+)/gu)].map(([, set = '']) => parseChange('--set', set));
      expect(resolveExperiment(await loadExperiment(id), { variant, changes }).id).toBe(id);
    }
  });
});
