import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes, HarnessError } from '../errors.ts';
import type { LedgerRow } from '../load/row.ts';
import { readLedger } from './read.ts';

const seqs = (lines: readonly number[]): string => lines.map((seq) => `${JSON.stringify({ seq })}\n`).join('');

describe('reading a ledger', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(name: string): Promise<number[]> {
    const rows: LedgerRow[] = [];
    for await (const row of readLedger(join(folder, name))) rows.push(row);
    return rows.map(({ seq }) => seq);
  }

  it('gives every row, in the order of the file, over the borders of its parts', async () => {
    const many = Array.from({ length: 100_000 }, (_, index) => index ^ 1);
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
    await expect(read('none.gz')).rejects.toThrow(/none\.gz cannot be read to its end: .*ENOENT/u);
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
});
