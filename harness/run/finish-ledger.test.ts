import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { emptiedFolder } from '../base/testing-folder.ts';
import { finishHolds, finishLedger } from './finish-ledger.ts';

const folder = emptiedFolder();
const finished = async (): Promise<string> =>
  gunzipSync(await readFile(join(folder, 'ledger.ndjson.gz'))).toString('utf8');

describe('a ledger that was left raw', () => {
  it('becomes the run’s ledger, without the row that was cut', async () => {
    await writeFile(join(folder, 'ledger.ndjson'), '{"seq":0}\n{"seq":1}\n{"se');
    expect(await finishLedger(folder)).toBe(true);
    expect(await finished()).toBe('{"seq":0}\n{"seq":1}\n');
    expect(await readdir(folder)).toEqual(['ledger.ndjson.gz']);
  });

  it('is finished without the witnesses that were being fetched', async () => {
    await writeFile(join(folder, 'ledger.ndjson'), '{"seq":0}\n');
    await mkdir(join(folder, 'witnesses'));
    for (const name of ['journal.ndjson.new', 'kernel.json']) await writeFile(join(folder, 'witnesses', name), '{');
    await finishLedger(folder);
    expect(await readdir(join(folder, 'witnesses'))).toEqual(['kernel.json']);
  });

  it('is made of the parts that the threads of a load left', async () => {
    await writeFile(join(folder, 'ledger.ndjson.0'), '{"seq":0}\n{"seq":2}\n{"seq"');
    await writeFile(join(folder, 'ledger.ndjson.1'), '{"seq":1}\n');
    await finishLedger(folder);
    expect((await finished()).split('\n')).toEqual(['{"seq":0}', '{"seq":2}', '{"seq":1}', '']);
  });

  it('holds lines that are longer than what is read at once', async () => {
    const long = 'x'.repeat(600_000);
    await writeFile(join(folder, 'ledger.ndjson'), `${long}\n${long}\n${long}`);
    await finishLedger(folder);
    expect(await finished()).toBe(`${long}\n${long}\n`);
  });

  it('may be there in no form at all', async () => {
    await writeFile(join(folder, 'run.json'), '{}');
    expect(await finishLedger(folder)).toBe(false);
    expect(await readdir(folder)).toEqual(['run.json']);
  });
});

describe('the rows of held connections that were left raw', () => {
  it('become the run’s file, without the row that was cut; where there are none, no file', async () => {
    await finishHolds(folder);
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(folder, 'holds.ndjson'), '{"holder":1}\n{"hol');
    await finishHolds(folder);
    expect(await readdir(folder)).toEqual(['holds.ndjson.gz']);
    expect(gunzipSync(await readFile(join(folder, 'holds.ndjson.gz'))).toString()).toBe('{"holder":1}\n');
  });
});
