/** docs/service.schema.json tells an editor what the reader tells, as far as a schema can. */
import { readdir, readFile } from 'node:fs/promises';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceJsonSchema, serviceJsonSchemaText, serviceSchemaFile } from './json-schema.ts';
import { wrongTexts } from './testing.ts';

const project = new URL('../../', import.meta.url);
const schema = serviceJsonSchema();
const validate = new Ajv({ allErrors: true }).compile(schema);

/** Every property that the schema names, by its path. */
function* properties(node: unknown, path = ''): Generator<[string, Record<string, unknown>]> {
  if (Array.isArray(node)) for (const part of node) yield* properties(part, path);
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  const { properties: named = {}, items, anyOf, additionalProperties } = node as Record<string, unknown>;
  for (const [name, of] of Object.entries(named as Record<string, Record<string, unknown>>)) {
    yield [`${path}.${name}`, of];
    yield* properties(of, `${path}.${name}`);
  }
  for (const part of [items, anyOf, additionalProperties]) yield* properties(part, path);
}

it('is published as it is now: `npm run schema` writes it', async () => {
  expect(await readFile(new URL(serviceSchemaFile, project), 'utf8')).toBe(serviceJsonSchemaText());
});

it('says of every field what it is, with examples that it takes itself', () => {
  const all = [...properties(schema)];
  expect(all.length).toBeGreaterThan(50);
  expect(all.filter(([, { description = '' }]) => description === '').map(([path]) => path)).toEqual([]);
  for (const [path, part] of all) {
    const takes = new Ajv().compile(part);
    for (const example of (part['examples'] ?? []) as unknown[]) expect(takes(example), path).toBe(true);
  }
});

const examples = await readdir(new URL('docs/examples/', project), { withFileTypes: true });
it.each(examples.filter((each) => each.isDirectory()).map(({ name }) => name))(
  'takes docs/examples/%s',
  async (name) => {
    const text = await readFile(new URL(`docs/examples/${name}/service.yaml`, project), 'utf8');
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    expect(text).toContain('# yaml-language-server: $schema=../../service.schema.json\n');
  },
);

it('takes the examples of docs/service-yaml.md', async () => {
  const page = await readFile(new URL('docs/service-yaml.md', project), 'utf8');
  const texts = [...page.matchAll(/```yaml\n(name:.*?)```/gsu)].map(([, text = '']) => text);
  expect(texts).toHaveLength(3);
  for (const text of texts) expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
});

it('takes digits where the reader takes them as text', () => {
  const requests = [{ path: '/', headers: { A: 1 }, body: 5, expect: { header: { B: 2 }, body: 3 } }];
  const service = { name: 'shop', start: 'x', environment: { PORT: 80 }, requests };
  expect(validate(service), JSON.stringify(validate.errors)).toBe(true);
});

describe('a wrong file', () => {
  /** What is known of other fields, of files, of this machine, or of YAML itself. */
  const elsewhere =
    /is not filled in|needs database|the proxy's|is the port of public|goes to|another container|there is no request|from 1 to 65535|without \.\. in it|names \$\{|the variable that it names|the same for all|as it is sent|does not exist|takes an absolute path|YAML 1.1|the tag/u;
  const asData = wrongTexts.flatMap(([text, sentence]) => {
    try {
      return [{ data: parse(text, { logLevel: 'error' }) as unknown, sentence }];
    } catch {
      return [];
    }
  });

  it.each(asData.filter(({ sentence }) => !elsewhere.test(sentence)))('$sentence', ({ data }) => {
    expect(validate(data)).toBe(false);
  });

  it('is taken for right where only the reader can tell', () => {
    const told = asData.filter(({ sentence }) => elsewhere.test(sentence));
    expect(told.length).toBeLessThan(asData.length / 2);
  });
});
