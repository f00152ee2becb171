/** Every mistake in a budgets file for services is one sentence with file, line and column; nothing is measured. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { errorText, exitCodeOfError } from '../base/error-text.ts';
import { readServiceFile } from '../gate/files/read-budgets.ts';
import { optionsOfFile } from './options/file-options.ts';
import { addCommand } from './command.ts';
import { measure } from './measure.ts';
import type { MeasureOptions } from './options/measure-options.ts';
import { testContext } from './testing-context.ts';

const folder = testFolder();

const context = testContext('/nowhere', { signal: AbortSignal.abort('a test measures nothing') });

/** What `measure --budgets` says of a file. */
const said = async (name: string, ...options: string[]): Promise<{ text: string; code: number }> =>
  saidOf('--budgets', join(folder, name), ...options);

/** What `measure` says. */
async function saidOf(...words: string[]): Promise<{ text: string; code: number }> {
  const program = new Command('restart-proof').exitOverride();
  addCommand(program, measure).action(async (...[services, options]: [string[], MeasureOptions]) => {
    await measure.run(context, services, options);
  });
  try {
    await program.parseAsync(['measure', ...words], { from: 'user' });
  } catch (error) {
    return { text: errorText(error, { verbose: false }), code: exitCodeOfError(error) };
  }
  return { text: '', code: 0 };
}

const budgets = '    budgets: { dropped: { max: 0, because: nobody knows } }\n';
/** A service with these lines of options. */
const block = (lines: string): string =>
  `services:\n  - name: shop\n    measure:\n      url: http://127.0.0.1:9/\n      ${lines.replaceAll('\n', '\n      ')}\n${budgets}`;
const budget = (text: string): string => `services:\n  - name: shop\n    budgets:\n      ${text}\n`;

const quotes = (word: string): string => `must be text: write "${word}" in quotes`;

/** Lines of options in a block, the first of which is line 5, in column 7. */
const wrongOptions: readonly (readonly [lines: string, sentence: string])[] = [
  ['while: true', `:5:14: shop: while ${quotes('true')}`],
  ['while: false', `:5:14: shop: while ${quotes('false')}`],
  ['while: True', `:5:14: shop: while ${quotes('true')}`],
  ['while:', ':5:7: shop: while has no value'],
  ['while: null', ':5:14: shop: while has no value'],
  ['while: ~', ':5:14: shop: while has no value'],
  ['while: ""', ':5:14: shop: while has no command: it is empty, or only a comment'],
  ['while: "  "', ':5:14: shop: while has no command'],
  ['while: "# deploy"', ':5:14: shop: while has no command'],
  ['while: # deploy', ':5:7: shop: while has no value'],
  ['while: |\n  # one\n\n  # two', ':5:14: shop: while has no command'],
  ['while: [a, b]', ':5:7: shop: while must be text, not a list'],
  ['while: { run: a }', ':5:7: shop: while must be text, not a map of fields'],
  ['while: "a\\0b"', ':5:14: shop: while holds a NUL byte'],
  ['body: true', `:5:13: shop: body ${quotes('true')}`],
  ['body:', ':5:7: shop: body has no value'],
  ['body: [1]', ':5:7: shop: body must be text, not a list'],
  ['body: {"a": 1}', ':5:7: shop: body must be text, not a map of fields'],
  ['body: !!binary aGk=', ':5:22: bytes (!!binary) are not read from YAML'],
  ['body: @order.json', ':5:13: cannot be read as YAML: Plain value cannot start with reserved character @'],
  ['body: "@/no/such/file"', ':5:13: shop: The file of body @/no/such/file'],
  ['header: 5', ':5:15: shop: header is not of the form "Name: value"'],
  ['header: { A: b }', ':5:7: shop: header must be text, not a map of fields'],
  ['header:\n  - A: b', ':6:11: shop: header must be text, not a map of fields'],
  ['header: A: b', ':5:15: cannot be read as YAML: Nested mappings are not allowed'],
  ['header: ["A: b", ]\nheader: [~]', 'the same field is there twice'],
  ['header: ["A: b", ~]', ':5:24: shop: header has no value'],
  ['header: "Connection: close"', ':2:5: shop: The header Connection is set by the instrument'],
  ['rate: 99999999999999999999', ':5:13: shop: rate takes a whole number from 1 to 100000'],
  ['duration: 30', ':5:17: shop: duration takes a duration such as 500ms, 30s or 2m'],
  ['timeout: 1:30', ':5:16: shop: timeout takes a duration such as'],
  ['duration: 2026-01-01', ':5:17: shop: duration takes a duration such as'],
  ['restarts: 20', ':5:17: shop: restarts is about --while, which is missing'],
  ['while: ls\nrestarts: 0', ':6:17: shop: restarts takes a whole number from 1 to 4000'],
  ['while: ls\nrestarts: 2\nevery: 10', ':7:14: shop: every takes a duration'],
  ['while: ls\nclaim: 100', ':6:14: shop: claim takes a percentage from 50 to 99.9'],
  ['while: ls\nsettle: on', ':6:15: shop: settle takes a duration such as'],
  ['connections: no', ':5:20: shop: connections must be kept, new or mixed, not "no"'],
  ['method: 5', ':5:15: shop: method must be GET, HEAD, '],
  ['expect-status: 99', ':5:22: shop: expect-status takes a whole number from 200'],
  ['capacity: "yes"', ':5:17: shop: capacity must be true or false, not "yes"'],
  ['capacity:', ':5:7: shop: capacity must be true or false, not null'],
  ['rat: 5', ':5:12: shop: rat is no option of measure'],
  ['json: true', ':5:13: shop: json is no option of measure'],
  ['--rate: 5', ':5:15: shop: --rate is no option of measure'],
  ['expectStatus: 200', ':5:21: shop: expectStatus is no option of measure'],
  ...['2e2', '0x1F', '010', '1_000', '0', '-1', '.5', '.inf', '.nan', 'yes', '9'.repeat(20)].map(
    (rate) =>
      [
        `rate: ${rate}`,
        `:5:13: shop: rate takes a whole number from 1 to 100000, not ${JSON.stringify(rate)}`,
      ] as const,
  ),
];

/** Budgets of a service, the first of which is line 4, in column 7. */
const wrongBudgets: readonly (readonly [lines: string, sentence: string])[] = [
  ['', ':3:5: services.0.budgets: must be a map of fields, not null'],
  [
    'droped: { max: 0, because: nobody knows }',
    ':4:7: services.0.budgets.droped: there is no such field. Did you mean dropped?',
  ],
  ['dropped: 0', ':4:16: services.0.budgets.dropped: must be a map of fields, not 0'],
  ['dropped: { max: -1, because: nobody knows }', ':4:23: services.0.budgets.dropped.max: must be at least 0, not -1'],
  ['dropped: { max: 010, because: nobody knows }', ':4:23: 010 is 8 to some readers and 10 to others'],
  [
    'dropped: { max: .inf, because: nobody knows }',
    ':4:23: services.0.budgets.dropped.max: must be a number, not Infinity',
  ],
  ['dropped: { max: .nan, because: nobody knows }', ':4:23: services.0.budgets.dropped.max: must be a number, not NaN'],
  ['dropped: { max: "0", because: nobody knows }', ':4:23: services.0.budgets.dropped.max: must be a number, not "0"'],
  [
    'dropped: { max: [0], because: nobody knows }',
    ':4:18: services.0.budgets.dropped.max: must be a number, not a list',
  ],
  ['dropped: { max: 0, because: so }', ':4:35: services.0.budgets.dropped.because: say why, in at least ten letters'],
  [
    'dropped: { max: 0, because: 1234567890 }',
    ':4:35: services.0.budgets.dropped.because: must be text, not 1234567890',
  ],
  [
    'dropped: { max: 0, because: nobody knows, blocking: off }',
    'services.0.budgets.dropped.blocking: must be true or false, not "off"',
  ],
];

/** Whole files. */
const wrongFiles: readonly (readonly [text: string, sentence: string])[] = [
  [`services:\n  - name: shop\n    measure:\n      url: 8080\n${budgets}`, ':4:12: shop: url is not a URL'],
  [`services:\n  - name: shop\n${budgets}`, ':2:5: shop: measure needs --url'],
  [`services:\n  - name: shop\n    measure: { url: "ftp://a/" }\n${budgets}`, ':3:21: shop: url must begin with http'],
  [
    `services:\n  - name: shop\n    measure: [rate]\n${budgets}`,
    ':3:5: services.0.measure: must be a map of fields, not a list',
  ],
  ['alpha: 0.1\n', ':1:1: services: is missing: it must be a list'],
  ['services: { name: shop }\n', ':1:1: services: must be a list, not a map of fields'],
  ['services: []\n', ':1:1: services: must be a list of at least 1, not of 0'],
  ['services: [shop]\n', ':1:12: services.0: must be a map of fields, not "shop"'],
  [`services:\n  -\n${budgets}`, ':3:5: services.0.name: is missing: it must be text'],
  [`services:\n  - name: 5\n${budgets}`, ':2:11: services.0.name: must be text, not 5'],
  [`services:\n  - name: ../x\n${budgets}`, ':2:11: services.0.name: must be letters, digits, @, dots and dashes'],
  [`services:\n  - name: shop\n${budgets}  - name: Shop\n${budgets}`, ':4:11: Shop is there twice (line 2)'],
  ['services:\n  - name: shop\n', ':2:5: shop: measure needs --url'],
  [
    'services:\n  - name: shop\n    budget: {}\n',
    ':3:5: services.0.budget: there is no such field. Did you mean budgets?',
  ],
  ['', ':1:1: is empty'],
  ['# nothing yet\n', ':1:1: is empty'],
  ['- a\n', ':1:1: must be a map of fields, not a list'],
  ['services\n', ':1:1: must be a map of fields, not "services"'],
  ['services:\n\t- name: shop\n', ':2:1: '],
  ['services: []\nservices: []\n', ':2:1: the same field is there twice'],
  ['services: []\n---\nservices: []\n', ':2:1: a second document begins here'],
  ['services: *none\n', ':1:11: '],
  ['services: &a [*a]\n', 'nested deeper than 32 levels'],
  ['services:\n  - <<: shop\n', ':2:5: << takes a map, or an alias of one'],
  ['services: !shop []\n', ':1:11: the tag !shop is not known here'],
  ['? [a]\n: b\n', 'the name of a field must be text'],
  ['5: b\n', ':1:1: the name of a field must be text'],
  ['__proto__: { a: b }\n', '__proto__: there is no such field'],
  ['%YAML 1.1\n---\nservices: []\n', 'YAML 1.1 reads yes as true'],
  ['services: "abc\n', ':1:'],
  ['services: []\n# \u0000\n', ':2:3: a control character (U+0000)'],
  ['services: []\n# \u001b[31m\n', ':2:3: a control character (U+001B)'],
];

/** Files whose text is no name for a test. */
const strangeFiles: readonly (readonly [what: string, text: string | Uint8Array, sentence: string])[] = [
  [
    'aliases of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${['ab', 'bc', 'cd'].map(([from, to]) => `${to}: &${to} [${Array(10).fill(`*${from}`).join()}]\n`).join('')}services: [*d,*d,*d,*d]\n`,
    'with its aliases it has more than 20000 values',
  ],
  ['brackets without end', '['.repeat(50_000), 'nested deeper than 32 levels'],
  ['deep brackets', `${'['.repeat(60)}${']'.repeat(60)}`, 'nested deeper than 32 levels'],
  ['a file in Latin 1', new Uint8Array([...Buffer.from('# a\n# caf'), 0xe9, 0x0a]), ':2:6: this letter is no UTF-8'],
  ['a file in UTF-16', new Uint8Array([0xff, 0xfe, 0x73, 0x00]), ':1:1: is no UTF-8'],
  ['a file of 2 MiB', `# ${'x'.repeat(2 ** 21)}\n`, 'is larger than 256 KiB'],
];

it.each([
  ...wrongOptions.map(([lines, sentence]) => [lines, block(lines), sentence] as const),
  ...wrongBudgets.map(([lines, sentence]) => [lines, budget(lines), sentence] as const),
  ...wrongFiles.map(([text, sentence]) => [text, text, sentence] as const),
  ...strangeFiles,
])('is refused: %s', async (_, text, sentence) => {
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

/** What is written, and what arrives. */
const right: readonly (readonly [text: string, options: Record<string, unknown>])[] = [
  // Numbers, dates and words stay the text that they are.
  ...[
    '123',
    '010',
    '1e3',
    '0x1F',
    '1.50',
    '.5',
    '-0',
    '+1',
    '12345678901234567890',
    '.inf',
    '2026-01-01',
    '1_000',
    '1:30',
    'yes',
  ].map((text) => [`body: ${text}`, { body: text }] as const),
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
  ['capacity: true', { capacity: true }],
  ['capacity: false', {}],
  ['while: 123', { while: '123' }],
  ['while: "true"', { while: 'true' }],
  ['while: |\n  # first\n  ./deploy.sh', { while: '# first\n./deploy.sh\n' }],
];

it.each(right)('%j leaves as it is written', async (lines, options) => {
  const read = async (text: string): Promise<object> => {
    await writeFile(join(folder, 'right.yaml'), text);
    const [entry] = (await readServiceFile(join(folder, 'right.yaml'), 'right.yaml')).entries;
    if (entry === undefined) throw new Error('no entry');
    return optionsOfFile(entry, 'right.yaml');
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
    budgets: &b { dropped: { max: 0, because: nobody knows } }
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
  expect(entries.map((entry) => optionsOfFile(entry, 'anchors.yaml'))).toEqual([
    { url: 'http://127.0.0.1:9/', body: '010', duration: '5s' },
    { url: 'http://127.0.0.1:9/', body: '010', duration: '6s' },
  ]);
});

const deployOf = (name: string): string =>
  `services:\n  - name: ${name}\n    measure:\n      url: http://127.0.0.1:9/\n      while: 'true'\n`;
const compareFiles: Readonly<Record<string, string>> = {
  'a.yaml': deployOf('old'),
  'b.yaml': deployOf('new'),
  'idle.yaml': deployOf('idle').replace("while: 'true'", 'rate: 10'),
  'both.yaml': `${deployOf('old')}${deployOf('new').replace('services:\n', '')}`,
  'wrong.yaml': deployOf('shop').replace("while: 'true'", 'while: [a]'),
};

it.each<[words: string[], sentence: string]>([
  [['--compare', 'a.yaml'], '--compare takes two files, and has 1.'],
  [['--compare', 'a.yaml', 'b.yaml', 'a.yaml'], '--compare takes two files, and has 3.'],
  [['--compare', 'a.yaml', 'idle.yaml'], 'idle.yaml:2:5: idle has no deploy.'],
  [['--compare', 'a.yaml', 'both.yaml'], 'both.yaml has 2 services, and --compare takes files of one.'],
  [['--compare', 'wrong.yaml', 'b.yaml'], 'wrong.yaml:5:7: shop: while must be text, not a list.'],
  [['--compare', 'a.yaml', 'b.yaml', '--while', 'true'], '--compare goes without --while.'],
  [['--compare', 'a.yaml', 'b.yaml', '--rounds', '0'], '--rounds takes a whole number from 1 to 100, not "0".'],
  [['--rounds', '3'], '--rounds is about --compare, which is missing.'],
])('measure %j is refused before anything runs', async (words, sentence) => {
  for (const [name, text] of Object.entries(compareFiles)) await writeFile(join(folder, name), text);
  const { text, code } = await saidOf(...words.map((word) => (word.endsWith('.yaml') ? join(folder, word) : word)));
  expect(text).toContain(sentence);
  expect(code).toBe(2);
});
