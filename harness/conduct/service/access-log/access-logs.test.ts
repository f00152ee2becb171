import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../../base/testing-folder.ts';
import { runFiles } from '../../../run/run-folder.ts';
import { AccessLogs, askedRequest } from './access-logs.ts';

const folder = testFolder();
const idPrefix = '20261127T120000Z-abcd-1-';
const requests = [
  askedRequest({ method: 'POST', path: '/orders?key=${KEY}', fixed: { target: '/orders?key=s3cret' } }),
  askedRequest({
    method: 'GET',
    path: '/items/{id}/x?n={seq}',
    mixed: {
      name: 'item',
      target: ['/items/', 'id', '/x?n=', 'seq'],
      headers: [],
      body: null,
      expected: undefined as never,
    },
  }),
];

/** A line of Caddy, with a stamp that is fine enough. */
const line = (method: string, uri: string, id?: string): string =>
  JSON.stringify({
    ...{ ts: 1_795_786_961.694, logger: 'http.log.access', status: 200, size: 2 },
    request: { method, uri, ...(id !== undefined && { headers: { 'X-Request-Id': [idPrefix + id] } }) },
  });

async function read(lines: readonly string[], { ratePerSecond = 100 } = {}) {
  const run = mkdtempSync(join(folder, 'run-'));
  const log = join(run, 'access.log');
  writeFileSync(log, '');
  const logs = await AccessLogs.open([log], { idPrefix, requests, ratePerSecond });
  try {
    await logs.begin(run);
    appendFileSync(log, lines.map((text) => `${text}\n`).join(''));
    const [told] = await logs.end({ sent: 0, ok: 0 }, { originUs: 0, signal: new AbortController().signal });
    const text = gunzipSync(readFileSync(join(run, runFiles.serverLog))).toString();
    const kept = text.split('\n').flatMap((row) => (row === '' ? [] : [JSON.parse(row) as Record<string, unknown>]));
    return { told, kept };
  } finally {
    await logs.close();
  }
}

describe.concurrent('of an access log', () => {
  it('with ids the lines of this load are kept, and no other', async () => {
    const { told, kept } = await read([
      line('POST', '/orders?key=s3cret'),
      line('POST', '/orders?key=s3cret', '7'),
      line('GET', '/elsewhere', '12'),
      line('POST', '/orders?key=s3cret'),
      'no line of a log',
      `panic while serving ${idPrefix}9: nil map`,
    ]);
    expect(told).toMatchObject({ formats: ['Caddy, JSON'], lines: 6, ours: 2, notUnderstood: 2, joined: 'id' });
    expect(kept).toMatchObject([
      { logLine: 2, seq: 7, status: 200 },
      { logLine: 3, seq: 12, isOther: true },
      { logLine: 6, seq: 9, isUnread: true, method: '', status: null },
    ]);
    expect(kept.map((row) => 'isOther' in row)).toEqual([false, true, false]);
    // What was asked for may hold a secret.
    expect(JSON.stringify(kept)).not.toMatch(/orders|elsewhere|panic/u);
  });

  it('without ids those with a method and path of this load are, under the path that the ledger has', async () => {
    const { told, kept } = await read([
      line('POST', '/orders?key=s3cret'),
      line('POST', '/orders'),
      line('POST', '/orders?key=other'),
      line('GET', '/orders?key=s3cret'),
      line('GET', '/items/a-7/x?n=7'),
      line('GET', '/items/a/b/x?n=7'),
    ]);
    expect(told).toMatchObject({ lines: 6, ours: 3, joined: 'time' });
    const [order, item] = ['/orders?key=${KEY}', '/items/{id}/x?n={seq}'];
    expect(kept.map(({ logLine, path }) => [logLine, path])).toEqual([
      [1, order],
      [2, order],
      [5, item],
    ]);
    expect(JSON.stringify(kept)).not.toContain('s3cret');
  });

  it('without ids and with coarse stamps none is', async () => {
    const whole = line('POST', '/orders').replace('.694', '');
    const [{ told, kept }, seldom] = await Promise.all([read([whole, whole]), read([whole], { ratePerSecond: 2 })]);
    expect(told).toMatchObject({ ours: 2, joined: 'too-coarse' });
    expect(kept).toEqual([]);
    expect(seldom.told?.joined).toBe('time');
  });

  it('to which nothing is written, nothing is said', async () => {
    expect((await read([])).told).toMatchObject({ formats: [], lines: 0, ours: 0, joined: 'nothing' });
  });
});
