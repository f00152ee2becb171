import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gzippedKnown, gzippedLines } from './gzipped-lines.ts';
import { keyOf, type LineReader } from './line-reader.ts';

const keys = { n: keyOf('n'), m: keyOf('m'), word: keyOf('word'), text: keyOf('text'), in: keyOf('in'), x: keyOf('x') };

interface Record {
  n: unknown;
  m: unknown;
  word: unknown;
  text: unknown;
  in?: { x: unknown };
}

let known = 0;

function read(line: LineReader): Record {
  const record: Record = {
    n: line.integer(keys.n),
    m: line.integerOrNull(keys.m),
    word: line.wordOrNull(keys.word),
    text: line.textOrNull(keys.text),
  };
  if (line.beginObject(keys.in)) {
    record.in = { x: line.decimal(keys.x) };
    line.endObject();
  }
  if (line.isWhole()) known++;
  return record;
}

let folder = '';
let files = 0;
let lastPath = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'lines-'))));
afterAll(async () => await rm(folder, { recursive: true }));

async function readAll(content: string): Promise<Record[]> {
  const path = join(folder, `${files++}.gz`);
  await writeFile(path, gzipSync(content));
  lastPath = path;
  const all: Record[] = [];
  for await (const records of gzippedKnown(path, read, (json) => json as Record)) all.push(...records);
  return all;
}

const number = fc.oneof(
  fc.nat(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e15, 123456789012345, 1234567890123456, 9007199254740991, 0.1, 1e-7, 1e21),
  fc.constant(null),
);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('ok', 'POST', '', '"', '\\', 'é', 'a\u2028'),
);
const record = fc.record(
  { n: number, m: number, word: fc.oneof(text, fc.constant(null)), text, in: fc.record({ x: number }) },
  { requiredKeys: ['n', 'm', 'word', 'text'] },
);

describe('lines of known shape', { timeout: 60_000 }, () => {
  it('say what JSON.parse says they say, whatever stands in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 50, maxLength: 200 }), async (records) => {
        const lines = records.map((of) => JSON.stringify(of));
        expect(await readAll(lines.map((line) => `${line}\n`).join(''))).toEqual(
          lines.map((line) => JSON.parse(line) as unknown),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('are read without JSON.parse where they are plain, and only there', async () => {
    const plain = ['{"n":1,"m":null,"word":"ok","text":"a"}', '{"n":0,"m":20,"word":null,"text":"b","in":{"x":0.25}}'];
    known = 0;
    expect(await readAll(plain.join('\n'))).toEqual(plain.map((line) => JSON.parse(line) as unknown));
    expect(known).toBe(2);
    const odd = [
      '{"m":1,"n":2,"word":"ok","text":"a"}',
      '{ "n":1,"m":2,"word":"ok","text":"a"}',
      '{"n":1,"m":2,"word":"ok","text":"a","more":1}',
      '{"n":1e3,"m":2,"word":"o\\u006b","text":"a"}',
      '{"n":"1","m":2,"word":"ok","text":"a"}',
      '{"n":1,"m":2,"word":"ok"}',
      '{}',
      '[]',
    ];
    known = 0;
    expect(await readAll(odd.join('\n'))).toEqual(odd.map((line) => JSON.parse(line) as unknown));
    expect(known).toBe(0);
  });

  it.each([
    '{"n":01,"m":2,"word":"ok","text":"a"}',
    '{"n":1,"m":2,"word":"ok","text":"a"',
    '{"n":1,"m":2,"word":"ok","text":"a"}}',
    '{"n":1,"m":2,"word":"ok","text":"a\t"}',
    '{"n":1,"m":2,"word":"ok","text":"a","in":{"x":1.}}',
    '{"n":1,"m":2,"word":"ok,"text":"a"}',
    ',"n":1,"m":2,"word":"ok","text":"a"}',
    '{"n":1"m":2,"word":"ok","text":"a"}',
  ])('are no JSON where JSON.parse says so: %s', async (line) => {
    expect(() => JSON.parse(line) as unknown).toThrow();
    const good = '{"n":1,"m":2,"word":"ok","text":"a"}';
    await expect(readAll(`${good}\n\n${good}\n${line}\n`)).rejects.toThrow('line 3 is no JSON');
  });

  it('may be longer than what is unzipped at once, and the last may lack its line feed', async () => {
    const lines = Array.from({ length: 40 }, (_, n) =>
      JSON.stringify({ n, m: null, word: 'w', text: 'é'.repeat(n * 20_000) }),
    );
    expect(await readAll(lines.join('\n'))).toEqual(lines.map((line) => JSON.parse(line) as unknown));
    const found: string[] = [];
    for await (const some of gzippedLines(lastPath)) found.push(...some);
    expect(found).toEqual(lines);
  });
});
