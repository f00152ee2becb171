/** Every mistake in a budgets file for services is one sentence with file, line and column; nothing is measured. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { errorText, exitCodeOfError } from '../base/error-text.ts';
import { readServiceFile } from '../gate/read-budgets.ts';
import { optionsOfFile, type KnownOption } from './options/file-options.ts';
import { measure as measureCommand } from './measure-options.ts';
import { testContext } from './testing-context.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restart-proof-test-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const context = testContext('/nowhere', { signal: AbortSignal.abort('a test measures nothing') });

/** What `measure --budgets` says of a file. */
async function said(name: string, ...options: string[]): Promise<{ text: string; code: number }> {
  const program = new Command('restart-proof').exitOverride();
  const { define, run } = measureCommand;
  define(program, context.callOf).action(
    async (...words: Parameters<typeof run> extends [unknown, ...infer W] ? W : never) => {
      await run(context, ...words);
    },
  );
  try {
    await program.parseAsync(['measure', '--budgets', join(folder, name), ...options], { from: 'user' });
  } catch (error) {
    return { text: errorText(error, { verbose: false }), code: exitCodeOfError(error) };
  }
  return { text: '', code: 0 };
}

const budgets = '    budgets: { dropped: { max: 0, because: nobody may notice } }\n';
/** A service with these lines of options, which begin on line 4 in column 7; `url` on line 3 is right. */
const measure = (lines: string): string =>
  `services:\n  - name: shop\n    measure: { url: "http://127.0.0.1:9/", ${lines} }\n${budgets}`;
/** The same in blocks: the first line is line 5, in column 7. */
const block = (lines: string): string =>
  `services:\n  - name: shop\n    measure:\n      url: http://127.0.0.1:9/\n      ${lines.replaceAll('\n', '\n      ')}\n${budgets}`;
const budget = (text: string): string => `services:\n  - name: shop\n    budgets:\n      ${text}\n`;

const quotes = (word: string): string => `must be text: write "${word}" in quotes`;

const wrong: readonly (readonly [what: string, text: string | Uint8Array, sentence: string])[] = [
  // The command.
  ['while: true', block('while: true'), `:5:14: shop: while ${quotes('true')}`],
  ['while: false', block('while: false'), `:5:14: shop: while ${quotes('false')}`],
  ['while: True', block('while: True'), `:5:14: shop: while ${quotes('true')}`],
  ['while with nothing', block('while:'), ':5:7: shop: while has no value'],
  ['while: null', block('while: null'), ':5:14: shop: while has no value'],
  ['while: ~', block('while: ~'), ':5:14: shop: while has no value'],
  ['while that is empty', block('while: ""'), ':5:14: shop: while has no command: it is empty, or only a comment'],
  ['while of spaces', block('while: "  "'), ':5:14: shop: while has no command'],
  ['while with a comment only', block('while: "# deploy"'), ':5:14: shop: while has no command'],
  ['while that YAML takes for a comment', block('while: # deploy'), ':5:7: shop: while has no value'],
  ['while of comments in a block', block('while: |\n  # one\n\n  # two'), ':5:14: shop: while has no command'],
  ['while as a list', block('while: [a, b]'), ':5:7: shop: while must be text, not a list'],
  ['while as a map', block('while: { run: a }'), ':5:7: shop: while must be text, not a map of fields'],
  ['while with NUL', block('while: "a\\0b"'), ':5:14: shop: while holds a NUL byte'],
  // Other options.
  ['body: true', block('body: true'), `:5:13: shop: body ${quotes('true')}`],
  ['body with nothing', block('body:'), ':5:7: shop: body has no value'],
  ['body as a list', block('body: [1]'), ':5:7: shop: body must be text, not a list'],
  ['body as JSON without quotes', block('body: {"a": 1}'), ':5:7: shop: body must be text, not a map of fields'],
  ['body as binary', block('body: !!binary aGk='), ':5:22: bytes (!!binary) are not read from YAML'],
  [
    'body in a file, without quotes',
    block('body: @order.json'),
    ':5:13: cannot be read as YAML: Plain value cannot start with reserved character @',
  ],
  ['body in a file that is not there', block('body: "@/no/such/file"'), ':5:13: shop: The file of body @/no/such/file'],
  ['header: 5', block('header: 5'), ':5:15: shop: header is not of the form "Name: value"'],
  ['header as a map', block('header: { A: b }'), ':5:7: shop: header must be text, not a map of fields'],
  ['a header without quotes', block('header:\n  - A: b'), ':6:11: shop: header must be text, not a map of fields'],
  [
    'a header without quotes on one line',
    block('header: A: b'),
    ':5:15: cannot be read as YAML: Nested mappings are not allowed',
  ],
  ['a header that is null', block('header: ["A: b", ]\nheader: [~]'), 'the same field is there twice'],
  ['a list of nothing', block('header: ["A: b", ~]'), ':5:24: shop: header has no value'],
  [
    'a header of the instrument',
    block('header: "Connection: close"'),
    ':2:5: shop: The header Connection is set by the instrument',
  ],
  [
    'url: 8080',
    `services:\n  - name: shop\n    measure:\n      url: 8080\n${budgets}`,
    ':4:12: shop: url is not a URL',
  ],
  ['no url', `services:\n  - name: shop\n${budgets}`, ':2:5: shop: measure needs --url'],
  [
    'url of https',
    `services:\n  - name: shop\n    measure: { url: "https://a/" }\n${budgets}`,
    ':3:21: shop: TLS is outside',
  ],
  ['rate: 2e2', block('rate: 2e2'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "2e2"'],
  ['rate: 0x1F', block('rate: 0x1F'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "0x1F"'],
  ['rate: 010', block('rate: 010'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "010"'],
  ['rate: 1_000', block('rate: 1_000'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "1_000"'],
  ['rate: 0', block('rate: 0'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "0"'],
  ['rate: -1', block('rate: -1'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "-1"'],
  ['rate: .5', block('rate: .5'), ':5:13: shop: rate takes a whole number from 1 to 100000, not ".5"'],
  ['rate: .inf', block('rate: .inf'), ':5:13: shop: rate takes a whole number from 1 to 100000, not ".inf"'],
  ['rate: .nan', block('rate: .nan'), ':5:13: shop: rate takes a whole number from 1 to 100000, not ".nan"'],
  ['rate: yes', block('rate: yes'), ':5:13: shop: rate takes a whole number from 1 to 100000, not "yes"'],
  ['rate beyond all', block('rate: 99999999999999999999'), ':5:13: shop: rate takes a whole number from 1 to 100000'],
  ['duration: 30', block('duration: 30'), ':5:17: shop: duration takes a duration such as 500ms, 30s or 2m'],
  ['timeout: 1:30', block('timeout: 1:30'), ':5:16: shop: timeout takes a duration such as'],
  ['a day as duration', block('duration: 2026-01-01'), ':5:17: shop: duration takes a duration such as'],
  ['settle: on', block('while: ls\nsettle: on'), ':6:15: shop: settle takes a duration such as'],
  ['connections: no', block('connections: no'), ':5:20: shop: connections must be kept, new or mixed, not "no"'],
  ['method: 5', block('method: 5'), ':5:15: shop: method must be one of '],
  ['expect-status: 99', block('expect-status: 99'), ':5:22: shop: expect-status takes a whole number from 200'],
  ['a switch with text', block('baseline: "yes"'), ':5:17: shop: baseline must be true or false, not "yes"'],
  ['a switch with nothing', block('baseline:'), ':5:7: shop: baseline must be true or false, not null'],
  ['a misspelt option', block('rat: 5'), ':5:12: shop: rat is no option of measure'],
  ['an option of the call', block('json: true'), ':5:13: shop: json is no option of measure'],
  ['an option with dashes', block('--rate: 5'), ':5:15: shop: --rate is no option of measure'],
  ['an option in camel case', block('expectStatus: 200'), ':5:21: shop: expectStatus is no option of measure'],
  [
    'options in a list',
    `services:\n  - name: shop\n    measure: [rate]\n${budgets}`,
    ':3:5: services.0.measure: must be a map of fields, not a list',
  ],
  ['options in one line', measure('rate: ten'), ':3:50: shop: rate takes a whole number'],
  // Budgets.
  ['no services', 'alpha: 0.1\n', ':1:1: services: is missing: it must be a list'],
  ['services as a map', 'services: { name: shop }\n', ':1:1: services: must be a list, not a map of fields'],
  ['no service', 'services: []\n', ':1:1: services: must be a list of at least 1, not of 0'],
  ['a service that is text', 'services: [shop]\n', ':1:12: services.0: must be a map of fields, not "shop"'],
  ['no name', `services:\n  -\n${budgets}`, ':3:5: services.0.name: is missing: it must be text'],
  ['a name that is a number', `services:\n  - name: 5\n${budgets}`, ':2:11: services.0.name: must be text, not 5'],
  [
    'a name that is a path',
    `services:\n  - name: ../x\n${budgets}`,
    ':2:11: services.0.name: must be letters, digits, @, dots and dashes',
  ],
  [
    'the same name twice',
    `services:\n  - name: shop\n${budgets}  - name: Shop\n${budgets}`,
    ':4:11: Shop is there twice (line 2)',
  ],
  ['no budgets', 'services:\n  - name: shop\n', ':2:5: services.0.budgets: is missing: it must be a map of fields'],
  ['empty budgets', budget(''), ':3:5: services.0.budgets: must be a map of fields, not null'],
  [
    'a misspelt figure',
    budget('droped: { max: 0, because: nobody may notice }'),
    ':4:7: services.0.budgets.droped: there is no such field. Did you mean dropped?',
  ],
  ['a number for a budget', budget('dropped: 0'), ':4:16: services.0.budgets.dropped: must be a map of fields, not 0'],
  [
    'a limit below zero',
    budget('dropped: { max: -1, because: nobody may notice }'),
    ':4:23: services.0.budgets.dropped.max: must be at least 0, not -1',
  ],
  [
    'a limit in octal',
    budget('dropped: { max: 010, because: nobody may notice }'),
    ':4:23: 010 is 8 to some readers and 10 to others',
  ],
  [
    'a limit without end',
    budget('dropped: { max: .inf, because: nobody may notice }'),
    ':4:23: services.0.budgets.dropped.max: must be a number, not Infinity',
  ],
  [
    'a limit that is no number',
    budget('dropped: { max: .nan, because: nobody may notice }'),
    ':4:23: services.0.budgets.dropped.max: must be a number, not NaN',
  ],
  [
    'a limit as text',
    budget('dropped: { max: "0", because: nobody may notice }'),
    ':4:23: services.0.budgets.dropped.max: must be a number, not "0"',
  ],
  [
    'a limit as a list',
    budget('dropped: { max: [0], because: nobody may notice }'),
    ':4:18: services.0.budgets.dropped.max: must be a number, not a list',
  ],
  [
    'a short reason',
    budget('dropped: { max: 0, because: so }'),
    ':4:35: services.0.budgets.dropped.because: say why, in at least ten letters',
  ],
  [
    'a reason that is a number',
    budget('dropped: { max: 0, because: 1234567890 }'),
    ':4:35: services.0.budgets.dropped.because: must be text, not 1234567890',
  ],
  [
    'blocking: off',
    budget('dropped: { max: 0, because: nobody may notice, blocking: off }'),
    'services.0.budgets.dropped.blocking: must be true or false, not "off"',
  ],
  // YAML.
  ['an empty file', '', ':1:1: is empty'],
  ['comments only', '# nothing yet\n', ':1:1: is empty'],
  ['a list', '- a\n', ':1:1: must be a map of fields, not a list'],
  ['text', 'services\n', ':1:1: must be a map of fields, not "services"'],
  ['a tab as indent', `services:\n\t- name: shop\n`, ':2:1: '],
  ['the same field twice', `services: []\nservices: []\n`, ':2:1: the same field is there twice'],
  ['two documents', `services: []\n---\nservices: []\n`, ':2:1: a second document begins here'],
  ['an alias of nothing', 'services: *none\n', ':1:11: '],
  ['an alias in itself', 'services: &a [*a]\n', 'nested deeper than 32 levels'],
  [
    'aliases of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nservices: [*d,*d,*d,*d]\n`,
    'with its aliases it has more than 20000 values',
  ],
  ['a merge of text', 'services:\n  - <<: shop\n', ':2:5: << takes a map, or an alias of one'],
  ['an unknown tag', 'services: !shop []\n', ':1:11: the tag !shop is not known here'],
  ['a name that is a list', '? [a]\n: b\n', 'the name of a field must be text'],
  ['a name that is a number', '5: b\n', ':1:1: the name of a field must be text'],
  ['__proto__', '__proto__: { a: b }\n', '__proto__: there is no such field'],
  ['YAML 1.1', `%YAML 1.1\n---\nservices: []\n`, 'YAML 1.1 reads yes as true'],
  ['brackets without end', '['.repeat(50_000), 'nested deeper than 32 levels'],
  ['deep brackets', `${'['.repeat(60)}${']'.repeat(60)}`, 'nested deeper than 32 levels'],
  ['a quote without end', 'services: "abc\n', ':1:'],
  ['a file in Latin 1', new Uint8Array([...Buffer.from('# a\n# caf'), 0xe9, 0x0a]), ':2:6: this letter is no UTF-8'],
  ['a file in UTF-16', new Uint8Array([0xff, 0xfe, 0x73, 0x00]), ':1:1: is no UTF-8'],
  ['a NUL', 'services: []\n# \0\n', ':2:3: a control character (U+0000)'],
  ['an escape sequence', 'services: []\n# \u001b[31m\n', ':2:3: a control character (U+001B)'],
  ['a file of 2 MiB', `# ${'x'.repeat(2 ** 21)}\n`, 'is larger than 256 KiB'],
];

it.each(wrong)('%s', async (_, text, sentence) => {
  const name = 'budgets.yaml';
  await writeFile(join(folder, name), text);
  const { text: error, code } = await said(name);
  expect(code).toBe(2);
  expect(error).toContain(sentence);
  expect(error).toMatch(/^error: \S*budgets.yaml/u);
  expect(error).not.toMatch(/zod|\[internal\]|fault of the harness|Invalid input|TypeError|\n\s+at /u);
});

it('a file that is not there, and a folder', async () => {
  await mkdir(join(folder, 'a-folder'));
  expect(await said('none.yaml')).toMatchObject({
    code: 2,
    text: expect.stringMatching(/none.yaml does not exist/u) as string,
  });
  expect(await said('a-folder')).toMatchObject({
    code: 2,
    text: expect.stringMatching(/a-folder is a folder/u) as string,
  });
});

it('an option of the command line is told by its own name', async () => {
  await writeFile(join(folder, 'good.yaml'), block('rate: 5'));
  const { text } = await said('good.yaml', '--rate', 'ten');
  expect(text).toContain(':2:5: shop: --rate takes a whole number');
});

const known: readonly KnownOption[] = [
  ...['url', 'body', 'while', 'duration', 'expect-status'].map((name) => ({ name, takes: 'a value' as const })),
  { name: 'header', takes: 'values' },
  { name: 'baseline', takes: 'nothing' },
];

/** What is written, and what arrives. */
const right: readonly (readonly [text: string, options: Record<string, unknown>])[] = [
  ['body: 123', { body: '123' }],
  ['body: 010', { body: '010' }],
  ['body: 1e3', { body: '1e3' }],
  ['body: 0x1F', { body: '0x1F' }],
  ['body: 1.50', { body: '1.50' }],
  ['body: .5', { body: '.5' }],
  ['body: -0', { body: '-0' }],
  ['body: +1', { body: '+1' }],
  ['body: 12345678901234567890', { body: '12345678901234567890' }],
  ['body: .inf', { body: '.inf' }],
  ['body: 2026-01-01', { body: '2026-01-01' }],
  ['body: 1_000', { body: '1_000' }],
  ['body: 1:30', { body: '1:30' }],
  ['body: yes', { body: 'yes' }],
  ['body: ""', { body: '' }],
  ['body: "true"', { body: 'true' }],
  ['body: !!str true', { body: 'true' }],
  ['body: "a\\x00\\u00e9\\n"', { body: 'a\0é\n' }],
  ["body: 'it''s'", { body: "it's" }],
  ['body: "{\\"a\\": 1}"', { body: '{"a": 1}' }],
  ['body: |\n  {"a": 1}\n  b: é ', { body: '{"a": 1}\nb: é \n' }],
  ['body: |-\n  one\n   two', { body: 'one\n two' }],
  ['body: >\n  one\n  two', { body: 'one two\n' }],
  ['header: "A: 1"', { header: ['A: 1'] }],
  ['header: ["A: 1", 5]', { header: ['A: 1', '5'] }],
  ['expect-status: 201', { expectStatus: '201' }],
  ['baseline: true', { baseline: true }],
  ['baseline: false', {}],
  ['while: 123', { while: '123' }],
  ['while: "true"', { while: 'true' }],
  ['while: |\n  # first\n  ./deploy.sh', { while: '# first\n./deploy.sh\n' }],
];

it.each(right)('%j leaves as it is written', async (lines, options) => {
  const read = async (text: string): Promise<object> => {
    await writeFile(join(folder, 'right.yaml'), text);
    const [entry] = (await readServiceFile(join(folder, 'right.yaml'), 'right.yaml')).entries;
    if (entry === undefined) throw new Error('no entry');
    return optionsOfFile(entry, known);
  };
  const expected = { url: 'http://127.0.0.1:9/', ...options };
  expect(await read(block(lines))).toEqual(expected);
  // As an editor of Windows saves it.
  expect(await read(`\u{feff}${block(lines).replaceAll('\n', '\r\n')}`)).toEqual(expected);
});

it('takes options from anchors and merge keys; what a service says itself wins', async () => {
  const text = `defaults: &d { url: http://127.0.0.1:9/, duration: 5s }
services:
  - name: one
    measure: *d
    budgets: &b { dropped: { max: 0, because: nobody may notice } }
  - name: two
    measure: { <<: *d, duration: 6s }
    budgets: *b
`;
  // The anchor of a field that no file has must stand elsewhere.
  await writeFile(join(folder, 'anchors.yaml'), text);
  expect((await said('anchors.yaml')).text).toContain(':1:1: defaults: there is no such field');
  const moved = text
    .replace(/^defaults.*\n/u, '')
    .replace('measure: *d', 'measure: &d { url: http://127.0.0.1:9/, body: 010, duration: 5s }');
  await writeFile(join(folder, 'anchors.yaml'), moved);
  const { entries } = await readServiceFile(join(folder, 'anchors.yaml'), 'anchors.yaml');
  expect(entries.map((entry) => optionsOfFile(entry, known))).toEqual([
    { url: 'http://127.0.0.1:9/', body: '010', duration: '5s' },
    { url: 'http://127.0.0.1:9/', body: '010', duration: '6s' },
  ]);
});
