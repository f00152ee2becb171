import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { runFiles } from '../run/run-folder.ts';
import { countWitnessLines } from '../run/witness-lines.ts';
import { judgeRun } from './judge.ts';
import { contentOf, writeFolder } from './testing-folder.ts';

/** The lines of a file, gzipped or not, after `spoil` has had them. */
async function spoilLines(path: string, spoil: (lines: string[]) => void): Promise<void> {
  const isZipped = path.endsWith('.gz');
  const content = await readFile(path);
  const lines = (isZipped ? gunzipSync(content) : content).toString().trimEnd().split('\n');
  spoil(lines);
  const spoilt = lines.map((line) => `${line}\n`).join('');
  await writeFile(path, isZipped ? gzipSync(spoilt) : spoilt);
}

/** Judges a whole run of which one file has been spoilt. */
async function judgeSpoilt(name: string, spoil: (lines: string[]) => void): Promise<string> {
  const folder = await writeFolder(contentOf(e5, 'waited'));
  await spoilLines(join(folder, name), spoil);
  return (await judgeRun(folder)).verdict;
}

/** The fields of this line, some of them in place of what they were; one that is undefined goes. */
function over(fields: Readonly<Record<string, unknown>>, index = 2): (lines: string[]) => void {
  return (lines) => {
    const [before = ''] = lines.splice(index, 1, '');
    lines[index] = JSON.stringify({ ...(JSON.parse(before) as object), ...fields });
  };
}

/** What a line of each file is, as its error says, and a field that every such line has. */
const kinds = {
  [runFiles.ledger]: ['row of a ledger', 'trial'],
  [runFiles.direct]: ['row of a ledger', 'trial'],
  [runFiles.accessLog]: ["line of the proxy's access log", 'DownstreamStatus'],
  [runFiles.requestLog]: ["line of the site's log", 'request'],
  [runFiles.notes]: ['note', 'id'],
  [runFiles.queues]: ['sample of the queues', 'atMonotonicUs'],
  [runFiles.timeline]: ['event of a timeline', 'atUs'],
  [runFiles.journal]: ['entry of a journal', '__MONOTONIC_TIMESTAMP'],
  [runFiles.deployer]: ['message of the deployer', 'kind'],
  [runFiles.engineEvents]: ['event of the engine', 'atWallUs'],
} as const satisfies Partial<Record<string, readonly [string, string]>>;

type Name = keyof typeof kinds;
const names = Object.keys(kinds) as Name[];

describe('a line that is none of its file', () => {
  it.each(
    names.flatMap((name) => {
      const [what, field] = kinds[name];
      return [
        [name, 'null', `is no ${what}: it is null, not an object.`],
        [name, '5', `is no ${what}: it is 5, not an object.`],
        [name, '"x"', `is no ${what}: it is "x", not an object.`],
        [name, '[]', `is no ${what}: it is [], not an object.`],
        [name, '{}', `is no ${what}: ${field} is missing.`],
        [name, '{"a":', 'is no JSON.'],
      ] as const;
    }),
  )('is damage of the run, with file and line: %s, %s', async (name, line, sentence) => {
    const judged = judgeSpoilt(name, (lines) => void lines.splice(1, 0, line));
    await expect(judged).rejects.toMatchObject({
      code: 'run-damaged',
      message: expect.stringMatching(new RegExp(`^/.*/${name}: line 2 is `, 'u')) as string,
    });
    await expect(judged).rejects.toThrow(`${name}: line 2 ${sentence}`);
  });
});

describe('a field that is missing, or of another type', () => {
  it.each<[Name, Readonly<Record<string, unknown>>, string]>([
    [runFiles.ledger, { sentUs: undefined }, 'sentUs is missing'],
    [runFiles.ledger, { outcome: 'OK' }, 'outcome is "OK", not one of ok, refused, '],
    [runFiles.direct, { dueUs: undefined }, 'dueUs is missing'],
    [runFiles.direct, { outcome: 'none' }, 'outcome is "none", not one of ok, refused, '],
    [runFiles.accessLog, { StartUTC: 'x' }, 'StartUTC is "x", not a time in UTC (RFC 3339)'],
    [
      runFiles.accessLog,
      { StartUTC: '2026-13-01T00:00:00Z' },
      'StartUTC is "2026-13-01T00:00:00Z", not a time in UTC (RFC 3339)',
    ],
    [runFiles.accessLog, { StartUTC: undefined }, 'StartUTC is missing'],
    [runFiles.accessLog, { Duration: undefined }, 'Duration is missing'],
    [runFiles.accessLog, { Duration: '5' }, 'Duration is "5", not a number of nanoseconds from 0'],
    [runFiles.accessLog, { Duration: -5 }, 'Duration is -5, not a number of nanoseconds from 0'],
    [runFiles.accessLog, { DownstreamStatus: '200' }, 'DownstreamStatus is "200", not a whole number from 0'],
    [runFiles.accessLog, { DownstreamContentSize: null }, 'DownstreamContentSize is null, not a whole number from 0'],
    [runFiles.accessLog, { RequestMethod: undefined }, 'RequestMethod is missing'],
    [runFiles.accessLog, { RequestPath: 5 }, 'RequestPath is 5, not a text'],
    [runFiles.accessLog, { 'request_X-Request-Id': null }, 'request_X-Request-Id is null, not a text'],
    [runFiles.accessLog, { ServiceAddr: 5 }, 'ServiceAddr is 5, not a text'],
    [runFiles.accessLog, { 'origin_X-App-Version': 5 }, 'origin_X-App-Version is 5, not a text'],
    [runFiles.requestLog, { request: 5 }, 'request is 5, not a text or null'],
    [runFiles.requestLog, { method: undefined }, 'method is missing'],
    [runFiles.requestLog, { path: undefined }, 'path is missing'],
    [runFiles.requestLog, { receivedUs: undefined }, 'receivedUs is missing'],
    [runFiles.requestLog, { answeredUs: '5' }, 'answeredUs is "5", not a whole number from 0'],
    [runFiles.requestLog, { status: '200' }, 'status is "200", not a whole number from 0 or null'],
    [runFiles.requestLog, { bodyCrc32: 'x' }, 'bodyCrc32 is "x", not a whole number from 0'],
    [runFiles.requestLog, { version: null }, 'version is null, not a text'],
    [runFiles.requestLog, { instance: undefined }, 'instance is missing'],
    [runFiles.requestLog, { outcome: 'x' }, 'outcome is "x", not one of cut'],
    [
      runFiles.requestLog,
      { store: { code: 'OK' } },
      'store is {"code":"OK"}, not an object with waitMs (a number) and code (a text)',
    ],
    [runFiles.requestLog, { store: null }, 'store is null, not an object with waitMs'],
    [runFiles.notes, { id: 5 }, 'id is 5, not a text'],
    [runFiles.notes, { times: undefined }, 'times is missing'],
    [runFiles.notes, { times: 0 }, 'times is 0, not a whole number from 1'],
    [runFiles.notes, { versions: null }, 'versions is null, not a text'],
    [runFiles.notes, { writtenUs: undefined }, 'writtenUs is missing'],
    [runFiles.notes, { writtenUs: 0 }, 'writtenUs is 0, not a whole number from 1'],
    [runFiles.timeline, { atUs: '5' }, 'atUs is "5", not a whole number'],
    [runFiles.timeline, { kind: 'x' }, 'kind is "x", not one of load-begin, '],
    [runFiles.timeline, { source: 'me' }, 'source is "me", not one of deployer, app, journal, proxy, engine'],
    [runFiles.timeline, { restart: undefined }, 'restart is missing'],
    [runFiles.timeline, { version: 1 }, 'version is 1, not a text'],
    [runFiles.timeline, { instance: 1 }, 'instance is 1, not a text'],
    [runFiles.timeline, { detail: {} }, 'detail is {}, not a text'],
    [
      runFiles.timeline,
      { connections: { open: 1 } },
      'connections is {"open":1}, not an object with open (a whole number from 0) and inFlight (a whole number from 0)',
    ],
    [
      runFiles.journal,
      { __MONOTONIC_TIMESTAMP: 1_000_000_000 },
      '__MONOTONIC_TIMESTAMP is 1000000000, not a text of digits',
    ],
    [runFiles.journal, { __MONOTONIC_TIMESTAMP: '5s' }, '__MONOTONIC_TIMESTAMP is "5s", not a text of digits'],
    [runFiles.engineEvents, { atWallUs: null }, 'atWallUs is null, not a whole number'],
    [runFiles.engineEvents, { action: undefined }, 'action is missing'],
    [runFiles.engineEvents, { role: 5 }, 'role is 5, not a text'],
    [runFiles.engineEvents, { detail: undefined }, 'detail is missing'],
  ])('is damage of the run: %s %o', async (name, fields, why) => {
    const sentence = `${name}: line 3 is no ${kinds[name][0]}: ${why}`;
    await expect(judgeSpoilt(name, over(fields))).rejects.toThrow(sentence);
  });

  it.each<[Name, Readonly<Record<string, unknown>>, string]>([
    [runFiles.queues, { port: '18080' }, 'port is "18080", not a whole number from 0'],
    [runFiles.queues, { waiting: undefined }, 'waiting is missing'],
    [runFiles.deployer, { kind: 'x' }, 'kind is "x", not one of waiting, done, deploy-begin, '],
    [runFiles.deployer, { restart: 0 }, 'restart is 0, not a whole number from 1'],
    [runFiles.deployer, { version: undefined }, 'version is missing'],
    [runFiles.deployer, { atMonotonicUs: '5' }, 'atMonotonicUs is "5", not a number'],
    [runFiles.deployer, { failure: null }, 'failure is null, not a text'],
  ])('is damage of the run in a file of few lines, too: %s %o', async (name, fields, why) => {
    const sentence = `${name}: line 1 is no ${kinds[name][0]}: ${why}`;
    await expect(judgeSpoilt(name, over(fields, 0))).rejects.toThrow(sentence);
  });

  it.each<[Name, Readonly<Record<string, unknown>>]>([
    [runFiles.ledger, { more: 1 }],
    [runFiles.direct, { more: 1 }],
    [runFiles.accessLog, { more: 1, 'downstream_X-App-Version': 5 }],
    [runFiles.requestLog, { more: [] }],
    [runFiles.notes, { more: null }],
    [runFiles.engineEvents, { more: 1 }],
  ])('does not matter where nobody reads it: %s %o', async (name, fields) => {
    expect(await judgeSpoilt(name, over(fields))).toBe('pass');
  });

  it('does not matter in what other programs wrote into the journal', async () => {
    const entry = { __MONOTONIC_TIMESTAMP: '5', MESSAGE: null, UNIT: ['a', 'b'] };
    const content = contentOf(e5, 'waited');
    const folder = await writeFolder(content);
    await spoilLines(join(folder, runFiles.journal), (lines) => void lines.unshift(JSON.stringify(entry)));
    const witnessLines = await countWitnessLines(folder);
    await writeFile(join(folder, runFiles.run), JSON.stringify({ ...content.run, witnessLines }));
    expect((await judgeRun(folder)).verdict).toBe('pass');
  });
});

describe('the state of the database, which comes first among the notes,', () => {
  it.each<[string, (lines: string[]) => void, string]>([
    [
      'that is missing',
      (lines) => void lines.shift(),
      'line 1 is a note: the state of the database, which comes first, is missing.',
    ],
    [
      'without a word on its integrity',
      over({ integrity: undefined }, 0),
      'line 1 is no state of a database: integrity',
    ],
    ['that comes twice', (lines) => void lines.splice(1, 0, lines[0] ?? ''), 'line 2 is no note: id is missing.'],
  ])('%s is damage of the run', async (_, spoil, sentence) => {
    await expect(judgeSpoilt(runFiles.notes, spoil)).rejects.toThrow(`notes.ndjson.gz: ${sentence}`);
  });
});

describe('a file that is one value', () => {
  it.each([
    [
      runFiles.kernel,
      '[1]',
      'kernel.json is not a record of counters that this version reads: Invalid input: expected record, received array.',
    ],
    [
      runFiles.kernel,
      'null',
      'kernel.json is not a record of counters that this version reads: Invalid input: expected record, received null.',
    ],
    [
      runFiles.kernel,
      '{"a":1,"b":"5"}',
      'kernel.json is not a record of counters that this version reads: b: Invalid input: expected number',
    ],
    [
      runFiles.kernel,
      '{"a":1e999}',
      'kernel.json is not a record of counters that this version reads: a: Invalid input: expected number',
    ],
    [runFiles.kernel, '{"a":', 'kernel.json is not a record of counters: '],
    [runFiles.controls, '', 'controls.json is not a record of controls: '],
    [
      runFiles.controls,
      'null',
      'controls.json is not a record of controls that this version reads: Invalid input: expected object, received null.',
    ],
    [
      runFiles.controls,
      '{"controls":[]}',
      'controls.json is not a record of controls that this version reads: calibration: Invalid input',
    ],
  ])('is damage of the run where it is of another form: %s of %s', async (name, content, sentence) => {
    const folder = await writeFolder(contentOf(e5, 'waited'));
    await writeFile(join(folder, name), content);
    const judged = judgeRun(folder);
    await expect(judged).rejects.toMatchObject({ code: 'run-damaged' });
    await expect(judged).rejects.toThrow(sentence);
  });

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [
      { durationMs: 1e12 },
      'durationMs: at 100 requests a second that is more than the 2147483647 that any run may have',
    ],
    [{ durationMs: -1 }, 'durationMs: Too small'],
    [{ aborted: '' }, 'aborted: Too small'],
    [{ originMonotonicUs: 0.5 }, 'originMonotonicUs: Invalid input'],
  ])('is damage of the run where it is the run’s own record: %o', async (fields, why) => {
    const content = contentOf(e5, 'waited');
    const folder = await writeFolder(content);
    await writeFile(join(folder, runFiles.run), JSON.stringify({ ...content.run, ...fields }));
    const judged = judgeRun(folder);
    await expect(judged).rejects.toMatchObject({ code: 'run-damaged' });
    await expect(judged).rejects.toThrow(`run.json is not a run record that this version reads: ${why}`);
  });
});
