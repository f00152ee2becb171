import { readdir, readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { parseDocument } from 'yaml';
import { describe, expect, it } from 'vitest';
import { serviceFileSchema } from '../gate/files/budgets.ts';
import { parseBudgets } from '../gate/files/read-budgets.ts';
import { addCommand } from './command.ts';
import { baseline } from './baseline.ts';
import { experiment } from './experiment.ts';
import { gate } from './gate.ts';
import { measure } from './measure.ts';
import { merge } from './merge.ts';

const docs = new URL('../../docs/', import.meta.url);
const ciFiles = [
  'ci/github-gate.yml',
  'ci/github-claim.yml',
  'ci/github-measure.yml',
  'ci/measure/action.yml',
  'ci/gitlab-ci.yml',
  'ci/kubernetes-claim.yml',
];

const program = new Command();
for (const command of [experiment, gate, merge, baseline, measure]) addCommand(program, command);

/** Every call of a command of the gate in a text: its name, and the options that it is given. */
function callsIn(text: string): { name: string; options: string[] }[] {
  const call = /(?:npm run|npx restart-proof|bin\.mjs"?) (experiment|gate|merge|baseline|measure)\b([^\n`#&]*)/gu;
  return [...text.matchAll(call)].map(([, name = '', rest = '']) => ({
    name,
    options: [...rest.matchAll(/ (--[a-z][a-z-]*)/gu)].map(([, option = '']) => option),
  }));
}

/** The first version of each action that runs on Node 24 by itself (`runs.using`); those on Node 20 are gone. */
const firstOnNode24: Record<string, number> = {
  checkout: 5,
  'setup-node': 5,
  'upload-artifact': 6,
  'download-artifact': 7,
};

describe('the files for CI', () => {
  it.each(ciFiles)('use actions that run on Node 24: %s', async (file) => {
    const text = await readFile(new URL(file, docs), 'utf8');
    for (const [, action = '', version = ''] of text.matchAll(/uses: actions\/([a-z-]+)@v?(\S+)/gu)) {
      expect(Number.parseInt(version, 10), action).toBeGreaterThanOrEqual(firstOnNode24[action] ?? Infinity);
    }
  });

  it.each(ciFiles)('call commands with options that they have: %s', async (file) => {
    const text = await readFile(new URL(file, docs), 'utf8');
    for (const { name, options } of callsIn(text)) {
      const command = program.commands.find((each) => each.name() === name);
      const known = command?.options.map(({ long }) => long) ?? [];
      expect(known, `${name} ${options.join(' ')}`).toEqual(expect.arrayContaining(options));
    }
  });

  it('call at least one command each, but for the one that uses the action', async () => {
    const calling = ciFiles.filter((file) => file !== 'ci/github-measure.yml');
    const counts = await Promise.all(
      calling.map(async (file) => callsIn(await readFile(new URL(file, docs), 'utf8')).length),
    );
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it.each(ciFiles)('are YAML: %s', async (file) => {
    const { errors } = parseDocument(await readFile(new URL(file, docs), 'utf8'));
    expect(errors).toEqual([]);
  });

  it('are all that lies in docs/ci', async () => {
    const there = await readdir(new URL('ci/', docs), { recursive: true, withFileTypes: true });
    expect(there.filter((each) => each.isFile())).toHaveLength(ciFiles.length);
  });

  it('come with an example of a budgets file that can be read, in docs/ci.md', async () => {
    const text = await readFile(new URL('ci.md', docs), 'utf8');
    const yaml = /```yaml\n(services:[^`]*)```/u.exec(text)?.[1] ?? '';
    const { data } = parseBudgets(yaml, 'restart-proof.yaml', serviceFileSchema);
    expect(data.services).toMatchObject([{ name: 'shop', budgets: { dropped: { max: 0 } } }]);
  });
});
