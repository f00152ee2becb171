import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SiteLine } from './site-columns.ts';
import { readSite } from './site-reading.ts';

const slots = 300;
const task = { path: '', slots, prefix: 'run-1-', probePrefix: 'run-direct-1-' };
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'site-'));
  task.path = join(folder, 'site.gz');
});
afterAll(async () => await rm(folder, { recursive: true }));

function line(seq: number, over: Partial<SiteLine> = {}): SiteLine {
  return {
    request: `run-1-${seq}`,
    method: seq % 2 === 0 ? 'GET' : 'POST',
    path: seq % 2 === 0 ? `/notes/p${seq % 7}` : '/notes',
    receivedUs: 5e9 + seq * 1_000,
    status: 200,
    answeredUs: 5e9 + seq * 1_000 + 400,
    bodyCrc32: 4_000_000_000 + seq,
    ...(seq % 2 === 1 && { store: { waitMs: seq / 10, code: seq === 9 ? 'SQLITE_BUSY' : 'OK' } }),
    version: `v${Math.floor(seq / 100)}`,
    instance: `i${Math.floor(seq / 100)}`,
    ...over,
  };
}

describe('the site’s log', () => {
  it('comes to the same on a thread of its own as on this one', async () => {
    const lines = [
      ...Array.from({ length: 250 }, (_, seq) => line(seq)),
      line(17, { status: null, outcome: 'cut' }),
      line(17, { status: 503 }),
      line(299, { status: null, outcome: 'cut', bodyCrc32: undefined }),
      line(300),
      line(1, { request: 'somebody else' }),
      line(1, { request: null }),
      line(1, { request: 'run-direct-1-7', path: '/livez' }),
      line(1, { request: 'run-direct-1-8', status: null, outcome: 'cut' }),
      line(1, { request: 'run-direct-1-7', version: 'v9' }),
    ];
    await writeFile(task.path, gzipSync(lines.map((of) => `${JSON.stringify(of)}\n`).join('')));
    const [here, there] = [await readSite(task, false), await readSite(task, true)];
    expect(there.busy).toEqual(here.busy);
    expect(there.probed).toEqual(here.probed);
    const of = { receivedUs: 5e9 + 1_000, answeredUs: 5e9 + 1_400, version: 'v0', instance: 'i0' };
    expect([...there.probed]).toEqual([
      ['run-direct-1-7', { line: 257, times: 2, status: 200, isCut: false, bodyCrc32: 4_000_000_001, ...of }],
      ['run-direct-1-8', { line: 258, times: 1, status: null, isCut: true, bodyCrc32: 4_000_000_001, ...of }],
    ]);
    expect(here.busy).toMatchObject({ refused: 1, longestWaitMs: 29.9 });
    for (let seq = 0; seq < slots; seq++) expect(there.columns.of(seq)).toEqual(here.columns.of(seq));
    expect(there.columns.of(17)).toMatchObject([
      { line: 18, status: 200, isCut: false },
      { line: 251, status: null, isCut: true },
      { line: 252, status: 503, isCut: false },
    ]);
    expect(there.columns.of(298)).toEqual([]);
    expect(there.columns.of(299)).toMatchObject([{ line: 253, status: null, bodyCrc32: null, code: 'OK' }]);
  });

  it.each([false, true])('that is damaged is named with its line; on a thread of its own: %s', async (isLong) => {
    await writeFile(task.path, gzipSync(`${JSON.stringify(line(0))}\n{"request":\n`));
    await expect(readSite(task, isLong)).rejects.toThrow(`${task.path}: line 2 is no JSON.`);
    await writeFile(task.path, gzipSync(`${JSON.stringify(line(0))}\n`).subarray(0, 40));
    await expect(readSite(task, isLong)).rejects.toThrow('cannot be read to its end');
  });
});
