import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { JoinedFile } from './joined.ts';
import type { Reconciled } from './reconcile.ts';
import { badRow, row, window } from './testing.ts';

describe('joined.ndjson.gz', () => {
  const plain: Reconciled = { wrong: [], cause: null, access: null, site: [] };

  async function written(...rows: [LedgerRow, Reconciled][]): Promise<Record<string, unknown>[]> {
    const folder = await mkdtemp(join(tmpdir(), 'joined-'));
    try {
      const file = new JoinedFile(join(folder, 'joined.gz'), [window]);
      for (const [one, found] of rows) await file.add(one, found);
      await file.end();
      const lines = gunzipSync(await readFile(join(folder, 'joined.gz')))
        .toString()
        .split('\n');
      expect(lines.pop()).toBe('');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it('has what was dropped, disagrees, or came more than 500 ms late, and nothing else', async () => {
    const rows = await written(
      [row(0), plain],
      [badRow(1), plain],
      [row(2), { ...plain, wrong: ['it was not due'] }],
      [row(3, { doneUs: 30_000 + 500_000 }), plain],
      [row(4, { doneUs: 40_000 + 500_001 }), plain],
      [row(5, { outcome: 'unsent', sentUs: null }), plain],
    );
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 4]);
  });

  it('has them all, in their order, where more come than can be zipped meanwhile', async () => {
    const rows = Array.from({ length: 5_050 }, (_, seq): [LedgerRow, Reconciled] => [
      badRow(seq),
      { ...plain, wrong: ['what does not agree '.repeat(20)] },
    ]);
    expect((await written(...rows)).map(({ seq }) => seq)).toEqual(rows.map(([{ seq }]) => seq));
  });

  it('adds phase, cause with its line, and the lines of the witnesses to a row that it leaves as it is', async () => {
    const dropped = badRow(110, { path: '/nötes' });
    const access = {
      line: 9,
      times: 1,
      method: 'GET',
      path: '/',
      status: 502,
      bytes: 0,
      startWallUs: 0,
      durationUs: 0,
      hasBackend: true,
      version: null,
    };
    const site = {
      line: 3,
      method: 'GET',
      path: '/',
      status: null,
      receivedUs: 0,
      answeredUs: 0,
      version: 'v0',
      instance: 'i',
      bodyCrc32: null,
      code: '',
      isCut: true,
    };
    const cause = { cause: 'the backend’s port', file: 'witnesses/traefik.log.gz', line: 40 };
    expect(
      await written([dropped, { wrong: ['a', '“b”'], cause, access, site: [site, { ...site, line: 4 }] }]),
    ).toEqual([
      {
        ...dropped,
        restart: 1,
        phase: 'down',
        cause: 'the backend’s port',
        witness: 'witnesses/traefik.log.gz:40',
        proxyStatus: 502,
        accessLine: 9,
        siteLines: [3, 4],
        disagreements: ['a', '“b”'],
      },
    ]);
    expect(await written([dropped, plain])).toMatchObject([
      { cause: null, witness: null, proxyStatus: null, accessLine: null, siteLines: [], disagreements: [] },
    ]);
  });

  it('may be longer than what the stream takes at once', async () => {
    const rows = await written(
      ...Array.from({ length: 2_000 }, (_, seq): [LedgerRow, Reconciled] => [badRow(seq), plain]),
    );
    expect(rows).toHaveLength(2_000);
  });
});
