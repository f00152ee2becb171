import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { emptiedFolder } from '../base/testing-folder.ts';
import type { ServiceRun } from '../run/run-record.ts';
import { RunWriter } from './run-writer.ts';

const parent = emptiedFolder();
const folder = join(parent, 'run');

const record = { runId: 'r', aborted: null, originMonotonicUs: null, unfinished: 0 } as unknown as ServiceRun;
const written = (): Partial<ServiceRun> =>
  JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as Partial<ServiceRun>;

describe('the folder of a run that goes on', () => {
  it('says that the run did not end until its end is known, and holds its reserve without a name', async () => {
    const writer = await RunWriter.begin(folder, record, 1024 * 1024);
    expect(written()).toMatchObject({ runId: 'r', aborted: expect.stringContaining('did not end') as string });
    expect(readdirSync(folder)).toEqual(['run.json']);
    await writer.know({ aborted: null });
    expect(written().aborted).toBeNull();
  });

  it('keeps all that is told at once', async () => {
    const writer = await RunWriter.begin(folder, record, 0);
    await Promise.all([
      writer.know({ originMonotonicUs: 7 }),
      writer.know({ unfinished: 3 }),
      writer.know({ seed: 1 }),
    ]);
    expect(written()).toMatchObject({ originMonotonicUs: 7, unfinished: 3, seed: 1 });
    expect(readdirSync(folder)).toEqual(['run.json']);
  });

  it('zips a file whose name says so, and makes the folder for it', async () => {
    const writer = await RunWriter.begin(folder, record, 0);
    await writer.text('witnesses/queues.ndjson.gz', 'a line\n');
    await writer.append('timeline.ndjson', 'one\n');
    await writer.append('timeline.ndjson', 'two\n');
    expect(gunzipSync(readFileSync(join(folder, 'witnesses', 'queues.ndjson.gz'))).toString()).toBe('a line\n');
    expect(readFileSync(join(folder, 'timeline.ndjson'), 'utf8')).toBe('one\ntwo\n');
  });

  it('says when the rows of the next seconds would not find room', async () => {
    const writer = await RunWriter.begin(folder, record, 0);
    expect(await writer.isNearlyFull(100, 3)).toBe(false);
    // 45 TB in a second.
    expect(await writer.isNearlyFull(1e11, 3)).toBe(true);
    // The room that there is then was the reserve.
    await writer.release();
    expect(await writer.isNearlyFull(100, 3)).toBe(true);
  });
});

describe('a write that fails', () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

  it('is no full disk where the folder was taken away', async () => {
    const writer = await RunWriter.begin(folder, record, 0);
    rmSync(folder, { recursive: true });
    await expect(writer.know({ originMonotonicUs: 7 })).rejects.toMatchObject({
      code: 'run-not-written',
      hint: expect.stringContaining(`verdict ${folder}`) as string,
    });
    await expect(writer.append('timeline.ndjson', 'one\n')).rejects.toMatchObject({ code: 'run-not-written' });
  });

  it('leaves nothing where the run cannot begin', async () => {
    writeFileSync(join(parent, 'file'), '');
    const begun = RunWriter.begin(join(parent, 'file', 'run'), record, 0);
    await expect(begun).rejects.toMatchObject({ code: 'run-not-written' });
    expect(readdirSync(parent)).toEqual(['file']);
  });

  it('is done again with the reserve given back when the disk is full, and once only', async () => {
    const writer = await RunWriter.begin(folder, record, 1);
    let tries = 0;
    const step = (): Promise<string> => (++tries === 1 ? Promise.reject(full) : Promise.resolve('written'));
    expect(await writer.withReserve(step)).toBe('written');
    expect(await writer.release()).toBe(false);
    tries = 0;
    await expect(writer.withReserve(step)).rejects.toMatchObject({ code: 'disk-full' });
    expect(tries).toBe(1);
  });

  it('is what it was where the disk is not full', async () => {
    const writer = await RunWriter.begin(folder, record, 0);
    const broken = new Error('the engine is gone');
    await expect(writer.withReserve(() => Promise.reject(broken))).rejects.toBe(broken);
  });
});
