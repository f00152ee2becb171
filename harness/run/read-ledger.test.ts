import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { exitCodes, HarnessError } from '../base/errors.ts';
import type { LedgerRow } from './files/ledger.ts';
import { readLedger } from './read-ledger.ts';

/** A row as the load generator writes it. */
const row = (seq: number): LedgerRow => ({
  trial: 1,
  seq,
  dueUs: seq * 5_000,
  sentUs: seq * 5_000 + 300,
  connectedUs: null,
  firstByteUs: seq * 5_000 + 900,
  doneUs: seq * 5_000 + 1_000,
  method: 'GET',
  path: '/notes/x',
  requestId: `run-1-${seq}`,
  connection: 'kept',
  outcome: 'ok',
  status: 200,
  bytes: 10,
  bodyCrc32: 1,
  instance: 'i',
  version: 'v0',
  error: null,
});

const seqs = (lines: readonly number[]): string => lines.map((seq) => `${JSON.stringify(row(seq))}\n`).join('');

describe('reading a ledger', () => {
  const folder = testFolder();

  async function read(name: string): Promise<number[]> {
    const rows: LedgerRow[] = [];
    for await (const row of readLedger(join(folder, name))) rows.push(row);
    return rows.map(({ seq }) => seq);
  }

  it('gives every row, in the order of the file, over the borders of its parts', async () => {
    // Some ten times as much as is read at once.
    const many = Array.from({ length: 10_000 }, (_, index) => index ^ 1);
    await writeFile(join(folder, 'many.gz'), gzipSync(seqs(many)));
    expect(await read('many.gz')).toEqual(many);
  });

  it('takes a last line without an end for a row', async () => {
    await writeFile(join(folder, 'no-end.gz'), gzipSync(seqs([3, 4]).trimEnd()));
    expect(await read('no-end.gz')).toEqual([3, 4]);
  });

  it('reads a file of several gzip members as one: files are joined by putting one behind the other', async () => {
    await writeFile(join(folder, 'members.gz'), Buffer.concat([gzipSync(seqs([1])), gzipSync(seqs([2]))]));
    expect(await read('members.gz')).toEqual([1, 2]);
  });

  it('throws where the file was cut short, and never ends as if it had been all', async () => {
    await writeFile(join(folder, 'whole.gz'), gzipSync(seqs(Array.from({ length: 5_000 }, (_, index) => index))));
    const whole = await readFile(join(folder, 'whole.gz'));
    await writeFile(join(folder, 'cut.gz'), whole.subarray(0, whole.length - 20));
    await expect(read('cut.gz')).rejects.toThrow(/cut\.gz cannot be read to its end/u);
  });

  it('throws where there is no file, or an empty one', async () => {
    await expect(read('none.gz')).rejects.toThrow(/none\.gz is missing/u);
    await writeFile(join(folder, 'empty.gz'), '');
    await expect(read('empty.gz')).rejects.toThrow(HarnessError);
  });

  it('names the line that is no JSON, and calls the run inconclusive', async () => {
    await writeFile(join(folder, 'bad.gz'), gzipSync(`${seqs([0, 1])}{"seq":2\n`));
    await expect(read('bad.gz')).rejects.toMatchObject({
      message: expect.stringMatching(/bad\.gz: line 3 is no JSON/u) as string,
      exitCode: exitCodes.inconclusive,
    });
  });

  async function readLines(...lines: readonly string[]): Promise<LedgerRow[]> {
    const path = join(folder, 'lines.gz');
    await writeFile(path, gzipSync(lines.map((line) => `${line}\n`).join('')));
    const rows: LedgerRow[] = [];
    for await (const some of readLedger(path)) rows.push(some);
    return rows;
  }

  /** Missing where it is undefined. */
  const lineWith = (over: Readonly<Record<string, unknown>>): string => JSON.stringify({ ...row(1), ...over });

  it.each<[string, string]>([
    ['null', 'it is null, not an object'],
    ['5', 'it is 5, not an object'],
    ['[]', 'it is [], not an object'],
    ['"x"', 'it is "x", not an object'],
    ['{}', 'trial is missing'],
    ...Object.keys(row(1)).map((name): [string, string] => [lineWith({ [name]: undefined }), `${name} is missing`]),
    ...(['trial', 'seq', 'bytes'] as const).map((name): [string, string] => [
      lineWith({ [name]: '5' }),
      `${name} is "5", not a whole number from 0`,
    ]),
    ...(['dueUs', 'doneUs'] as const).map((name): [string, string] => [
      lineWith({ [name]: null }),
      `${name} is null, not a whole number`,
    ]),
    ...(['sentUs', 'connectedUs', 'firstByteUs', 'status'] as const).map((name): [string, string] => [
      lineWith({ [name]: 0.5 }),
      `${name} is 0.5, not a whole number or null`,
    ]),
    ...(['path', 'requestId'] as const).map((name): [string, string] => [
      lineWith({ [name]: null }),
      `${name} is null, not a text`,
    ]),
    ...(['instance', 'version', 'error'] as const).map((name): [string, string] => [
      lineWith({ [name]: 7 }),
      `${name} is 7, not a text or null`,
    ]),
    [lineWith({}).replace('"doneUs":6000', '"doneUs":1e999'), 'doneUs is Infinity, not a whole number'],
    [lineWith({ hasNoLength: false }), 'hasNoLength is false, not true'],
    [lineWith({ rttUs: -1 }), 'rttUs is -1, not a whole number from 0'],
    [lineWith({ seq: -1 }), 'seq is -1, not a whole number from 0'],
    [lineWith({ bodyCrc32: -1 }), 'bodyCrc32 is -1, not a whole number from 0 or null'],
    [lineWith({ method: 'get' }), 'method is "get", not one of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE'],
    [lineWith({ connection: '' }), 'connection is "", not one of new, kept'],
    [lineWith({ outcome: ['ok'] }), 'outcome is ["ok"], not one of ok, refused, '],
    ...['OK', 'ok ', 'bogus', '', 'status-', 'status-5e2', 'status-5020'].map((word): [string, string] => [
      lineWith({ outcome: word }),
      `outcome is "${word}", not one of ok, refused, `,
    ]),
  ])('refuses what is no row: %s', async (line, why) => {
    await expect(readLines(lineWith({}), line)).rejects.toMatchObject({
      code: 'run-damaged',
      message: expect.stringContaining(`lines.gz: line 2 is no row of a ledger: ${why}`) as string,
    });
    // As the first, too, where no line before it has the same words.
    await expect(readLines(line)).rejects.toThrow(`lines.gz: line 1 is no row of a ledger: ${why}`);
  });

  it('takes further fields, space between them, another order, and times before the origin', async () => {
    const backwards = Object.fromEntries(Object.entries(row(1)).reverse());
    const all = [
      lineWith({ more: [1] }),
      lineWith({ hasNoLength: true }),
      lineWith({ outcome: 'reset', error: 'ECONNRESET, wait', rttUs: 120 }),
      JSON.stringify(row(1), null, ' ').replaceAll('\n', ' '),
      JSON.stringify(backwards),
      lineWith({ dueUs: -20, sentUs: -10 }),
      lineWith({ method: 'PATCH', outcome: 'status-418', status: 418, error: 'é' }),
    ];
    expect(await readLines(...all)).toEqual(all.map((line) => JSON.parse(line) as unknown));
  });
});
