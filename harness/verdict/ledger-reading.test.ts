import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { LedgerReading, type LedgerTask } from './ledger-reading.ts';
import type { Counts } from './row-counts.ts';
import { badRow, row, window } from './testing.ts';

const slots = 30_000;
let folder = '';
let task: LedgerTask;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-reading-'));
  task = {
    path: join(folder, 'ledger.gz'),
    slots,
    windows: [window],
    spans: [{ fromUs: 900_000, toUs: 2_000_000 }],
    timeline: [{ kind: 'sigterm', atUs: 480_000, source: 'deployer', restart: 1 }] as LedgerTask['timeline'],
    outOfRotationUs: [1_000_000],
    alone: { idPrefix: 'run-1-', ratePerSecond: 100, expectedStatus: null, deadlineMs: 30_000, plan: null },
  };
});
afterAll(async () => await rm(folder, { recursive: true }));

const lines = (rows: readonly unknown[]): string => rows.map((of) => `${JSON.stringify(of)}\n`).join('');

async function read(
  isLong: boolean,
): Promise<{ rows: LedgerRow[]; faults: (readonly [number, readonly string[]])[]; counts: Counts }> {
  const reading = await LedgerReading.begin(task, isLong);
  try {
    const rows: LedgerRow[] = [];
    const faults: (readonly [number, readonly string[]])[] = [];
    for await (const some of reading.rows()) {
      faults.push(...[...some.faults].map(([index, wrong]) => [rows.length + index, wrong] as const));
      rows.push(...some.rows);
    }
    return { rows, faults, counts: await reading.counts() };
  } finally {
    await reading.close();
  }
}

/** Of more batches than the thread may be ahead. */
const many = Array.from({ length: slots }, (_, seq) =>
  seq % 50 === 49
    ? badRow(seq, { outcome: 'refused', error: `connect ${seq % 3}` })
    : row(seq, { version: `v${seq % 2}` }),
);

describe('a ledger', () => {
  it('has the same rows and comes to the same on a thread of its own as on this one', async () => {
    const odd = { further: true, ...row(7) };
    await writeFile(task.path, gzipSync(lines([...many, odd])));
    const [here, there] = [await read(false), await read(true)];
    expect(here.rows).toEqual([...many, odd]);
    expect(there).toEqual(here);
    // Made as no load generator makes them: refused, and with an answer.
    expect(here.faults.map(([index]) => index)).toEqual(many.flatMap(({ seq }) => (seq % 50 === 49 ? [seq] : [])));
    expect(here.faults[0]?.[1]).toEqual(['refused of a request that was answered 502']);
    expect(there.counts.ledger).toMatchObject({ all: { due: slots + 1, dropped: slots / 50 }, repeatedSlots: 1 });
    expect(there.counts.stale).toBeGreaterThan(0);
    expect(there.counts.dropWindows).toMatchObject([{ dropped: slots / 50, openedBy: { kind: 'sigterm', line: 1 } }]);
  });

  it.each([false, true])('that is damaged is named with its line; on a thread of its own: %s', async (isLong) => {
    await writeFile(task.path, gzipSync(`${lines(many)}{"seq":\n`));
    await expect(read(isLong)).rejects.toThrow(`${task.path}: line ${slots + 1} is no JSON.`);
    await writeFile(task.path, gzipSync(lines(many)).subarray(0, -20));
    await expect(read(isLong)).rejects.toThrow('cannot be read to its end');
    await rm(task.path);
    await expect(read(isLong)).rejects.toThrow('is missing');
  });

  it('that was not read to its end has no counts', async () => {
    await writeFile(task.path, gzipSync(lines(many)));
    const reading = await LedgerReading.begin(task, true);
    for await (const some of reading.rows()) {
      expect(some.rows.length).toBeGreaterThan(0);
      break;
    }
    await expect(reading.counts()).rejects.toThrow('not been read to its end');
    await reading.close();
  });

  it('that nobody asks for its rows leaves no thread behind', async () => {
    await writeFile(task.path, 'no gzip at all');
    const reading = await LedgerReading.begin(task, true);
    await expect(reading.close()).resolves.toBeUndefined();
  });
});
