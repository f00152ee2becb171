/** What pages and files for CI name is there: other pages and their headings, files, commands, options, variants, fields. */
import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { loadExperiment } from '../experiment/catalog.ts';
import { parseChange, resolveExperiment } from '../experiment/fields.ts';
import { serviceFileSchema } from '../gate/files/budgets.ts';
import { parseBudgets } from '../gate/files/read-budgets.ts';
import { addCommand } from './command.ts';
import { commands } from './commands.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const inDocs = (await readdir(join(project, 'docs'))).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'reports/README.md'];
pages.push(...inDocs.map((name) => `docs/${name}`));
const inCi = await readdir(join(project, 'docs/ci'), { recursive: true, withFileTypes: true });
const ciFiles = inCi.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
const textOf = (path: string): Promise<string> => readFile(resolve(project, path), 'utf8');
const textsOf = (paths: readonly string[]) =>
  Promise.all(paths.map(async (path) => [relative(project, resolve(project, path)), await textOf(path)] as const));
const texts = new Map(await textsOf(pages));

const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

const program = new Command();
for (const command of commands) addCommand(program, command);

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
  const call = /(?:npm run|npx restart-proof|node harness\/cli\.mjs|bin\.mjs"?) ([a-z][a-z:-]*)([^\n`#&|]*)/gu;
  return [...text.matchAll(call)].map(([, name = '', words = '']) => ({ name, words }));
}

/** Every command that is called is there, and has the options that it is given. */
function expectKnownOptions(text: string): void {
  for (const { name, words } of callsIn(text)) {
    const command = program.commands.find((each) => each.name() === name);
    if (command === undefined) expect(scripts, `npm run ${name}`).toHaveProperty([name]);
    else {
      const options = [...words.matchAll(/ (--[a-z][a-z-]*)/gu)].map(([, option]) => option);
      const known = [...command.options.map(({ long }) => long), '--help', '--verbose'];
      expect(known, `${name}${words}`).toEqual(expect.arrayContaining(options));
    }
  }
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
    expectKnownOptions(text);
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

/** The first version of each action that runs on Node 24 by itself (`runs.using`); those on Node 20 are gone. */
const firstOnNode24: Record<string, number> = {
  checkout: 5,
  'setup-node': 5,
  'upload-artifact': 6,
  'download-artifact': 7,
};

describe.each(await textsOf(ciFiles))('%s', (file, text) => {
  it('is YAML that uses actions that run on Node 24, and calls commands with options that they have', () => {
    expect(parseDocument(text).errors).toEqual([]);
    for (const [, action = '', version = ''] of text.matchAll(/uses: actions\/([a-z-]+)@v?(\S+)/gu)) {
      expect(Number.parseInt(version, 10), action).toBeGreaterThanOrEqual(firstOnNode24[action] ?? Infinity);
    }
    expectKnownOptions(text);
    // One of them uses the action, which calls it.
    expect(callsIn(text).length > 0).toBe(file !== 'docs/ci/github-measure.yml');
  });
});

it('the example of a budgets file in docs/ci.md can be read', () => {
  const yaml = /```yaml\n(services:[^`]*)```/u.exec(texts.get('docs/ci.md') ?? '')?.[1] ?? '';
  const { data } = parseBudgets(yaml, 'restart-proof.yaml', serviceFileSchema);
  expect(data.services).toMatchObject([{ name: 'shop', budgets: { dropped: { max: 0 } } }]);
});
