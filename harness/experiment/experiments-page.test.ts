/** docs/experiments.md is all that a newcomer has: its example must be one, and its table must have every field. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { testFolder } from '../base/testing-folder.ts';
import { experimentFileSchema } from './experiment.ts';
import { resolveExperiment } from './fields.ts';

const project = new URL('../../', import.meta.url);
const folder = testFolder();
const page = await readFile(new URL('docs/experiments.md', project), 'utf8');

it('has an example that is an experiment, with variants that can be run', async () => {
  const code = /```ts\n([\s\S]*?)```/u.exec(page)?.[1] ?? '';
  const path = join(folder, 'example.ts');
  // As it would stand in experiments/.
  const from = (word: string): string => new URL(word, new URL('experiments/', project)).href;
  const there = code.replaceAll(/from '(\.[^']*)'/gu, (_, word: string) => `from '${from(word)}'`);
  await writeFile(path, there);
  const module = (await import(pathToFileURL(path).href)) as { default: unknown };
  const file = experimentFileSchema.parse(module.default);
  for (const variant of [undefined, ...Object.keys(file.variants)]) {
    expect(resolveExperiment(file, { variant }).id).toBe(file.id);
  }
});

it('names every field, and every value that a field may have', () => {
  const table = page.slice(page.indexOf('## All fields'));
  const fields = [...leaves(z.toJSONSchema(experimentFileSchema, { io: 'input' }) as Shape)];
  expect(fields.length).toBeGreaterThan(50);
  const missing = fields.filter(({ path, values }) => {
    const isNamed = path.endsWith('because') || path === 'variants' || table.includes(`\`${path}\``);
    return !isNamed || values.some((value) => !table.includes(value));
  });
  expect(missing).toEqual([]);
});

interface Shape {
  readonly properties?: Record<string, Shape>;
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly enum?: readonly unknown[];
}

/** The paths that end in a value, as --set has them, and the values that are named. */
function* leaves(shape: Shape, path = ''): Generator<{ path: string; values: string[] }> {
  const { properties, anyOf, items } = shape;
  if (properties !== undefined) {
    for (const [name, of] of Object.entries(properties)) yield* leaves(of, path === '' ? name : `${path}.${name}`);
  } else if (anyOf !== undefined) for (const of of anyOf) yield* leaves(of, path);
  else if (items !== undefined && !Array.isArray(items)) yield* leaves(items, `${path}.0`);
  else yield { path, values: (shape.enum ?? []).filter((value) => typeof value === 'string') };
}
