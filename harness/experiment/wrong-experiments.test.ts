/** Every mistake in an experiment's file is a sentence with file and field, or line and column. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';

const scenario = fileURLToPath(new URL('.', import.meta.url));
const good = `import { defineExperiment } from '${scenario}experiment.ts';

export default defineExperiment({
  id: 'E1',
  title: 'A title',
  question: 'Is it a question?',
  hypothesis: 'It is one, since it asks.',
  app: { warmupMs: 300, drain: 'naive', graceMs: 50, shutdownTimeoutMs: 1_000, keepAliveTimeoutMs: 120_000 },
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik' },
  load: { ratePerSecond: 200, mix: [{ method: 'GET', path: '/notes', weight: 1 }], connections: 'mixed' },
  deploy: { action: 'restart', restarts: 2, spacingMs: [1_900, 2_500], leadMs: 1_000, tailMs: 3_000 },
  expect: { dropped: { max: 0, because: 'ten letters' } },
  control: { experiment: 'E1', because: 'ten letters' },
});
`;

/** All from the experiment on. */
const whole = /export default[\s\S]*/u;

type Replaced = readonly [from: string | RegExp, to: string];
const expects = (text: string): Replaced => ['expect: {', `expect: { ${text},`];
const variants = (text: string): Replaced => ['control:', `variants: { ${text} }, control:`];
const before = (text: string): Replaced => ['export default', `${text}\nexport default`];

/** What of the good file is replaced, by what, and the sentence behind the file's name. */
const cases: readonly (readonly [...Replaced, sentence: string])[] = [
  ['warmupMs', 'warmUpMs', 'app.warmUpMs: there is no such field. Did you mean warmupMs?'],
  ['deploy:', 'deplyo:', 'deplyo: there is no such field. Did you mean deploy?'],
  ['title:', "colour: 'red', title:", 'colour: there is no such field; there are id, '],
  ["kind: 'traefik'", "kind: 'traefik', ['__proto__']: 1", 'proxy.__proto__: there is no such field'],
  ["title: 'A title',", '', 'title: is missing: it must be text'],
  [/app: .*\n/u, '', 'app: is missing: it must be a map of fields'],
  [/mix: \[.*\],/u, '', 'load.mix: is missing: it must be a list'],
  [/control: .*\n/u, '', 'control: is missing: it must be a map of fields'],
  ["id: 'E1',", '', 'id: is missing: it must be text'],
  ['warmupMs: 300', "warmupMs: 'fast'", 'app.warmupMs: must be a number, not "fast"'],
  ['warmupMs: 300', "warmupMs: '300'", 'app.warmupMs: must be a number, not "300"'],
  ['warmupMs: 300', 'warmupMs: 0.5', 'app.warmupMs: must be a whole number, not 0.5'],
  ['warmupMs: 300', 'warmupMs: -1', 'app.warmupMs: must be at least 0, not -1'],
  ['warmupMs: 300', 'warmupMs: NaN', 'app.warmupMs: must be a number, not NaN'],
  ['warmupMs: 300', 'warmupMs: Infinity', 'app.warmupMs: must be a number, not Infinity'],
  ['warmupMs: 300', 'warmupMs: 1e9', 'app.warmupMs: must be at most 86400000, not 1000000000'],
  ['warmupMs: 300', 'warmupMs: 1e300', 'app.warmupMs: must be at most 9007199254740991, not 1e+300'],
  ['warmupMs: 300', 'warmupMs: 300n', 'app.warmupMs: must be a number, not 300'],
  ['warmupMs: 300', 'warmupMs: null', 'app.warmupMs: must be a number, not null'],
  ['warmupMs: 300', 'warmupMs: [300]', 'app.warmupMs: must be a number, not a list'],
  ['warmupMs: 300', 'warmupMs: { ms: 300 }', 'app.warmupMs: must be a number, not a map of fields'],
  ['warmupMs: 300', 'warmupMs: () => 300', 'app.warmupMs: must be a number, not a function'],
  ["title: 'A title'", "title: Symbol('A')", 'title: must be text, not Symbol(A)'],
  ["title: 'A title'", 'title: 17', 'title: must be text, not 17'],
  ["title: 'A title'", "title: ''", 'title: must be text of at least 3 letters, not ""'],
  ["drain: 'naive'", "drain: 'nave'", 'app.drain: must be polite, naive or none, not "nave". Did you mean naive?'],
  ["drain: 'naive'", 'drain: true', 'app.drain: must be polite, naive or none, not true'],
  ["drain: 'naive',", '', 'app.drain: is missing: it must be polite, naive or none'],
  ['ratePerSecond: 200', 'ratePerSecond: 0', 'load.ratePerSecond: must be above 0, not 0'],
  ['ratePerSecond: 200', 'ratePerSecond: 5001', 'load.ratePerSecond: must be at most 5000, not 5001'],
  [/mix: \[.*\]/u, 'mix: []', 'load.mix: must be a list of at least 1, not of 0'],
  [/mix: \[.*\]/u, "mix: 'GET'", 'load.mix: must be a list, not "GET"'],
  ["'/notes'", "'/notez'", 'load.mix.0.path: must be /notes, /notes/:id or /slow?ms=N'],
  ["'GET'", "'HEAD'", 'load.mix.0.method: must be GET or POST, not "HEAD"'],
  ['weight: 1', 'weight: 0', 'load.mix.0.weight: must be above 0, not 0'],
  ['proxy:', 'sites: { backends: 3 }, proxy:', 'sites.backends: must be 1 or 2, not 3'],
  ['[1_900, 2_500]', '[1_900]', 'deploy.spacingMs: must be a list of at least 2, not of 1'],
  ['[1_900, 2_500]', '1_900', 'deploy.spacingMs: must be a list, not 1900'],
  ['[1_900, 2_500]', '[2_500, 1_900]', 'deploy.spacingMs: the first of the two must not be above the second'],
  ['restarts: 2', 'restarts: 0', 'E1 cannot be run so: deploy.restarts: at least one, or action none'],
  ["'restart'", "'swap'", 'E1 cannot be run so: deploy.action: a swap takes sites.backends=2'],
  [
    "max: 0, because: 'ten letters'",
    "max: 0, because: 'so'",
    'expect.dropped.because: say why, in at least ten letters',
  ],
  [", because: 'ten letters' } }", ' } }', 'expect.dropped.because: is missing: it must be text'],
  ['max: 0', 'max: -1', 'expect.dropped.max: must be at least 0, not -1'],
  ['max: 0', 'mx: 0', 'expect.dropped.mx: there is no such field. Did you mean max?'],
  ['max: 0', 'predicted: false, withinPercent: 3', 'expect.dropped.predicted: must be true, not false'],
  [/expect: .*\n/u, 'expect: 0,', 'expect: must be a map of fields, not 0'],
  [...expects("bounds: [{ of: 'lost', because: 'ten letters' }]"), 'expect.bounds.0: a bound has a min, a max or both'],
  [...expects("bounds: [{ of: 'lots', max: 0, because: 'ten letters' }]"), 'Did you mean lost?'],
  [
    ...expects("bounds: [{ of: 'lost', min: 2, max: 1, because: 'ten letters' }]"),
    'expect.bounds.0: min must not be above max',
  ],
  [...expects("badRestarts: { because: 'ten letters' }"), 'expect.badRestarts: takes min, max, both, or all: true'],
  [...expects('claim: { cleanPercent: 100 }'), 'expect.claim.cleanPercent: must be below 100, not 100'],
  ["experiment: 'E1'", "experiment: 'E77'", 'control.experiment: there is no experiment E77; there are '],
  ["experiment: 'E1'", "variant: 'off'", 'control.variant: there is no variant "off"; the file has none'],
  ['control:', 'variants: [], control:', 'variants: must be a map of fields, not a list'],
  [
    ...variants("Off: { about: 'long enough', set: {} }"),
    'variants.Off: a variant’s name must be lower case, digits and dashes',
  ],
  [...variants("off: { about: 'long enough' }"), 'variants.off.set: is missing: it must be a map of fields'],
  [
    ...variants("off: { about: 'long enough', set: { 'app.warmup': 1 } }"),
    'variants.off: An experiment has no field "app.warmup".',
  ],
  [
    ...variants("off: { about: 'long enough', set: { 'app.warmupMs': 'x' } }"),
    'variants.off: E1 cannot be run so: app.warmupMs: must be a number, not "x"',
  ],
  [
    ...variants("off: { about: 'long enough', set: { 'deploy.spacingMs': [1, 2] } }"),
    'variants.off.set.deploy.spacingMs: must be text, a number, true or false or null, not a list',
  ],
  ["id: 'E1'", "id: 'e1'", 'id: must be E and a number, such as E8'],
  ["id: 'E1'", "id: 'E2000'", "id: must be E1, as in the file's name, not E2000"],
  ["title: 'A title',", "title: 'A title'", ":6:3: no valid TypeScript: Expected ',', got 'ident'"],
  ['});', '', ':15:1: no valid TypeScript: '],
  [...before('enum A { b }'), ':3:1: no valid TypeScript: TypeScript enum is not supported'],
  [...before('const a = 1;\nconst a = 2;'), ":4:7: no valid TypeScript: Identifier 'a' has already been declared"],
  [...before("import './none.ts';"), "fails when it is loaded: Cannot find module 'experiments/none.ts'"],
  [
    ...before("import 'no-such-package-at-all';"),
    "fails when it is loaded: Cannot find package 'no-such-package-at-all'",
  ],
  ['defineExperiment }', 'defineExperimnt }', ':1:10: fails when it is loaded: '],
  [...before("import './broken.ts';"), ' cannot be loaded: experiments/broken.ts:1:11: no valid TypeScript: '],
  ["title: 'A title'", 'title: theTitle', ':5:10: fails when it is loaded: theTitle is not defined'],
  [
    ...before('const none: any = null;\nnone.x.y;'),
    ":4:6: fails when it is loaded: Cannot read properties of null (reading 'x')",
  ],
  [...before("throw 'no mood';"), 'fails when it is loaded: no mood was thrown'],
  [...before('throw undefined;'), 'fails when it is loaded: undefined was thrown'],
  [whole, "export default { get id() { throw new Error('not now'); } };", ':3:35: fails when it is loaded: not now'],
  ['export default', 'export const experiment =', 'has no default export'],
  [/[\s\S]*/u, '', 'has no default export'],
  [whole, 'export default () => 1;', 'its default export must be defineExperiment({ … }), not a function'],
  [whole, 'export default [];', 'its default export must be defineExperiment({ … }), not a list'],
  [whole, 'export default null;', 'its default export must be defineExperiment({ … }), not null'],
  [whole, 'export default defineExperiment(null as any);', 'must be a map of fields, not null'],
  [whole, 'export default {};', 'id: is missing: it must be text'],
];

interface Read {
  readonly experiments: readonly string[];
  readonly broken: readonly { id: string; code: string; exitCode: number; message: string; hint: string }[];
}

const folder = testFolder();
let read: Read;

/** By Node itself, which tells mistakes of syntax otherwise than the test's runner. */
beforeAll(async () => {
  const experiments = join(folder, 'experiments');
  await mkdir(experiments);
  // As in a checkout.
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const write = (name: string, text: string): Promise<void> => writeFile(join(experiments, name), text);
  await write('E1-good.ts', good);
  await write('broken.ts', 'const a = ;\n');
  await write('E50-one.ts', good.replace('E1', 'E50'));
  await write('E50-two.ts', good.replace('E1', 'E50'));
  await write('e51-lower.ts', good.replace('E1', 'E51'));
  await write('E52.ts', good.replace("id: 'E1'", "id: 'E52'"));
  await mkdir(join(experiments, 'E53-folder.ts'));
  for (const [index, [from, to]] of cases.entries()) {
    const text = good.replace(from, to).replace("id: 'E1'", `id: 'E${100 + index}'`);
    await write(`E${100 + index}-wrong.ts`, text);
  }
  const script = `import { readCatalog } from '${scenario}catalog.ts';
const { experiments, broken } = await readCatalog(${JSON.stringify(experiments)});
console.log(JSON.stringify({ experiments: experiments.map(({ id }) => id),
  broken: broken.map(({ id, error: { code, exitCode, message, hint } }) => ({ id, code, exitCode, message, hint })) }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  read = JSON.parse(stdout) as Read;
});

it.each(cases.map((each, index) => [...each, 100 + index] as const))('%s → %s', (_, __, sentence, number) => {
  const id = `E${number}`;
  const found = read.broken.find((each) => each.id === id);
  expect(found).toMatchObject({ code: 'experiment-invalid', exitCode: 2 });
  // The sentences are those of the good file, which is E1.
  const message = (found?.message ?? '').replaceAll(`${id} cannot`, 'E1 cannot').replace(`be ${id},`, 'be E1,');
  const [first = ''] = message.split('\n');
  expect(first).toContain(`${id}-wrong.ts${/^[: ]/u.test(sentence) ? '' : ': '}`);
  expect(first).toContain(sentence);
  expect(message).toMatch(new RegExp(`^experiments/${id}-wrong.ts`, 'u'));
  expect(message).not.toMatch(/zod|Invalid input|\{"|\[object|file:|restart-proof-test|\n\s+at /u);
});

it('goes on with the others', () => {
  expect(read.experiments).toEqual(['E1', 'E52']);
});

it.each([
  ['E50', 'experiments/E50-one.ts: experiments/E50-two.ts is E50 too: give one another number'],
  ['E50', 'experiments/E50-two.ts: experiments/E50-one.ts is E50 too: give one another number'],
  ['E51', 'experiments/e51-lower.ts: id: must be E51'],
  ['E53', 'experiments/E53-folder.ts: fails when it is loaded: '],
])('file names: %s', (id, sentence) => {
  expect(read.broken.filter((each) => each.id === id).map(({ message }) => message)).toContainEqual(
    expect.stringContaining(sentence),
  );
});
