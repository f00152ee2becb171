import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { row } from '../verdict/testing.ts';
import {
  accessFieldsOf,
  contentOf,
  linesOf,
  originWallUs,
  siteLineOf,
  writeFolder,
} from '../verdict/testing-folder.ts';
import { openDatabase, type RunDatabase } from './database.ts';
import { plainOutcomes } from './files/ledger.ts';
import { runFiles } from './run-folder.ts';

const { run } = linesOf({});
const prefix = `${run.runId}-1-`;

/** What is packed, in pieces that end with a line, and was never ended: as a writer that was killed leaves it. */
async function packedWithoutEnd(lines: readonly string[]): Promise<Buffer> {
  const gzip = createGzip();
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  for (const line of lines) {
    gzip.write(`${line}\n`);
    await new Promise<void>((resolve) => {
      gzip.flush(constants.Z_SYNC_FLUSH, resolve);
    });
  }
  return Buffer.concat(parts);
}

describe('the tables of a run', () => {
  let database: RunDatabase;
  const odd = { requestId: 'stranger' };
  const ledger = [
    row(0, { requestId: `${prefix}0` }),
    row(1, { requestId: `${prefix}01`, path: '/slow?ms=300', doneUs: 402_000 }),
    row(2, { ...odd, method: 'POST', path: '/notes' }),
    row(3, { requestId: `${prefix}3`, method: 'POST', path: '/notes', outcome: 'reset', hasNoLength: true, rttUs: 7 }),
    ...plainOutcomes.map((outcome, index) => row(4 + index, { outcome })),
    row(4 + plainOutcomes.length, { outcome: 'status-502', status: 502 }),
  ];
  beforeAll(async () => {
    const content = linesOf({
      ledger,
      access: [
        {
          StartUTC: '2026-11-23T12:00:00.123456789Z',
          Duration: 2_345_678,
          DownstreamStatus: 201,
          DownstreamContentSize: 42,
          RequestMethod: 'POST',
          RequestPath: '/notes',
          'request_X-Request-Id': `${prefix}7`,
          ServiceAddr: '127.0.0.1:18080',
          'origin_X-App-Version': 'v3',
        },
        // No backend answered, and nothing was sent.
        {
          StartUTC: '2026-11-23T12:00:01Z',
          Duration: 0,
          DownstreamStatus: 502,
          RequestMethod: 'GET',
          RequestPath: '/',
        },
        accessFieldsOf(row(7, { requestId: `${prefix}7` })),
      ],
      site: [
        siteLineOf(row(7, { requestId: `${prefix}7`, method: 'POST', status: 201 }), { outcome: 'cut' }),
        siteLineOf(row(7, { requestId: `${prefix}7` })),
        siteLineOf(row(8, { requestId: `${prefix}8` })),
      ],
      database: { integrity: 'ok', journalMode: 'wal', walBytes: 0 },
      notes: [{ id: 'a', times: 2, versions: 'v0,v1', writtenUs: 1_000_000_005, textCrc32s: '1,2' }],
      queues: [{ atMonotonicUs: 1_000_000_007, port: 18_080, waiting: 3 }],
    });
    const folder = await writeFolder(content, { isOfOneTest: false });
    database = await openDatabase(folder, run);
    return () => rm(folder, { recursive: true });
  });
  afterAll(() => database.close());

  it('have the proxy’s line with microseconds for nanoseconds, and the slot of its id', async () => {
    const [first, second, third] = await database.all('select * from proxy order by line');
    expect(first).toMatchObject({
      line: 1,
      seq: 7,
      oddId: null,
      requestId: `${prefix}7`,
      method: 'POST',
      path: '/notes',
      status: 201,
      bytes: 42,
      startWallUs: Date.UTC(2026, 10, 23, 12) * 1000 + 123_456.789,
      durationUs: 2_345.678,
      startUs: Date.UTC(2026, 10, 23, 12) * 1000 + 123_456.789 - originWallUs,
      backend: '127.0.0.1:18080',
      version: 'v3',
      isLast: false,
    });
    expect(second).toMatchObject({ line: 2, seq: null, requestId: null, bytes: 0, backend: null, version: null });
    expect(third).toMatchObject({ line: 3, seq: 7, isLast: true, startUs: 70_200, endUs: 71_900 });
  });

  it('have the site’s line with times of the run, and which of a request’s lines it is', async () => {
    const lines = await database.all('select * from site order by line');
    expect(lines[0]).toMatchObject({ seq: 7, status: 201, isCut: true, lockWaitMs: 0.1, code: 'OK', isOnly: false });
    expect(lines[1]).toMatchObject({
      receivedUs: 71_400,
      answeredUs: 71_700,
      isCut: false,
      isLast: true,
      isFirst: true,
    });
    expect(lines[2]).toMatchObject({ seq: 8, lockWaitMs: null, code: null, isOnly: true });
  });

  it('have the database’s state, its notes and the queues', async () => {
    expect(await database.all('select line, id, times, writtenUs, textCrc32s, integrity from notes')).toEqual([
      { line: 1, id: null, times: null, writtenUs: null, textCrc32s: null, integrity: 'ok' },
      { line: 2, id: 'a', times: 2, writtenUs: 5, textCrc32s: '1,2', integrity: null },
    ]);
    expect(await database.all('select atUs, port, waiting, site from queues')).toEqual([
      { atUs: 7, port: 18_080, waiting: 3, site: 'demo' },
    ]);
  });

  it('keep only the ids that are not made of prefix and slot', async () => {
    const ids = await database.all('select oddId, requestId from ledger where seq < 4 order by seq');
    expect(ids).toEqual([
      { oddId: null, requestId: `${prefix}0` },
      { oddId: `${prefix}01`, requestId: `${prefix}01` },
      { oddId: 'stranger', requestId: 'stranger' },
      { oddId: null, requestId: `${prefix}3` },
    ]);
  });

  it('count as dropped what was sent without the answer that was asked for, and no fault of the generator’s own', async () => {
    const kept = await database.all('select distinct outcome from ledger where not dropped order by all');
    expect(kept).toEqual([{ outcome: 'local' }, { outcome: 'ok' }, { outcome: 'unsent' }]);
  });

  it('take off a wait what the request itself asked for', async () => {
    const waits = await database.all('select askedUs, waitUs from ledger where seq in (0, 1, 3) order by seq');
    expect(waits).toEqual([
      { askedUs: 0, waitUs: 2_000 },
      // Due at 10 ms and done at 402 ms, of which it asked for 300 ms.
      { askedUs: 300_000, waitUs: 92_000 },
      { askedUs: 0, waitUs: null },
    ]);
  });

  it('know how long each body of the lab’s site is', async () => {
    const bytes = await database.all('select expectedBytes from ledger where seq < 4 order by seq');
    const noteBytes = (id: string): number =>
      JSON.stringify({ id, text: `note ${id} ................................` }).length;
    expect(bytes).toEqual([
      { expectedBytes: noteBytes('x') },
      { expectedBytes: JSON.stringify({ sleptMs: 300 }).length },
      { expectedBytes: noteBytes('stranger') },
      { expectedBytes: noteBytes(`${prefix}3`) },
    ]);
  });

  it('hold rows that this process worked out; what is undefined or no finite number is null', async () => {
    await database.put('made', { a: 'DOUBLE', 'an odd name': 'VARCHAR' }, [
      { a: 1.5, 'an odd name': "it's" },
      { a: Infinity, 'an odd name': undefined },
      { a: NaN, 'an odd name': '' },
    ]);
    expect(await database.all('from made')).toEqual([
      { a: 1.5, 'an odd name': "it's" },
      { a: null, 'an odd name': null },
      { a: null, 'an odd name': '' },
    ]);
    const many = Array.from({ length: 10_001 }, (_, n) => ({ n }));
    await database.put('many', { n: 'INTEGER' }, many);
    expect(await database.one('select count(*) as rows, max(n) as last from many')).toEqual({
      rows: 10_001,
      last: 10_000,
    });
    await expect(database.one('from many where n < 0')).rejects.toThrow('a query gave no row');
  });
});

/** A megabyte each. */
const spaces = gzipSync(`${' '.repeat(999_999)}\n`);
const letters = gzipSync('a'.repeat(1_000_000));

describe('a file of a run', () => {
  let folder: string;
  const content = contentOf(e5, 'waited');
  beforeAll(async () => {
    folder = await writeFolder(content, { isOfOneTest: false });
    return () => rm(folder, { recursive: true });
  });

  const tables = {
    ledger: runFiles.ledger,
    direct: runFiles.direct,
    proxy: runFiles.accessLog,
    site: runFiles.requestLog,
    notes: runFiles.notes,
    queues: runFiles.queues,
  } as const;
  type Name = keyof typeof tables;

  /** Opens the run with only this table, of whose file `spoil` has made another. */
  async function openSpoilt(
    name: Name,
    spoil: (packed: Buffer) => Buffer | Promise<Buffer>,
    strictBytes?: number,
  ): Promise<number> {
    const path = join(folder, tables[name]);
    const whole = await readFile(path);
    await writeFile(path, await spoil(whole));
    try {
      const database = await openDatabase(folder, content.run, [name], strictBytes);
      const { rows } = await database.one<{ rows: number }>(`select count(*) as rows from ${name}`);
      await database.close();
      return rows;
    } finally {
      await writeFile(path, whole);
    }
  }

  const changed = (spoil: (lines: string[]) => string[]) => (packed: Buffer) =>
    gzipSync(spoil(gunzipSync(packed).toString().trimEnd().split('\n')).join('\n'));
  /** The third line with some fields in place of what they were. */
  const lineWith = (over: object) =>
    changed((lines) => lines.with(2, JSON.stringify({ ...(JSON.parse(lines[2] ?? '') as object), ...over })));

  it('that is not there gives an empty table', async () => {
    await rename(join(folder, runFiles.queues), join(folder, 'away'));
    const database = await openDatabase(folder, content.run, ['queues']);
    expect(await database.one('select count(*) as rows from queues')).toEqual({ rows: 0 });
    await database.close();
    await rename(join(folder, 'away'), join(folder, runFiles.queues));
  });

  it.each(Object.entries(tables) as [Name, string][])('is told where it was cut short: %s', async (name, path) => {
    const cut = `${path} cannot be read to its end: unexpected end of file.`;
    await expect(openSpoilt(name, (packed) => packed.subarray(0, -5), 0)).rejects.toThrow(cut);
    // All are read in one way; the notes have a line at their head.
    if (name !== 'ledger' && name !== 'notes') return;
    await expect(openSpoilt(name, (packed) => packed.subarray(0, packed.length / 2))).rejects.toThrow(cut);
    // Where it ends with a line, as a writer that was killed leaves it: DuckDB itself takes that for all.
    const unended = (packed: Buffer): Promise<Buffer> =>
      packedWithoutEnd(gunzipSync(packed).toString().trimEnd().split('\n').slice(0, 2));
    await expect(openSpoilt(name, unended, 0)).rejects.toThrow(cut);
  });

  it('is told where its check sum does not fit, or it is not packed at all', async () => {
    const flipped = (packed: Buffer): Buffer => packed.with(packed.length - 6, (packed.at(-6) ?? 0) ^ 1) as Buffer;
    await expect(openSpoilt('notes', flipped, 0)).rejects.toThrow(
      'notes.ndjson.gz cannot be read to its end: incorrect data',
    );
    await expect(openSpoilt('notes', () => Buffer.from('{}\n'))).rejects.toThrow(
      /notes\.ndjson\.gz cannot be read to/u,
    );
    await expect(openSpoilt('notes', () => Buffer.alloc(0))).rejects.toThrow(/notes\.ndjson\.gz cannot be read to/u);
  });

  it.each(Object.keys(tables) as Name[])('is told with the line that is no record: %s', async (name) => {
    for (const line of ['{}', ...(name === 'ledger' || name === 'notes' ? ['null', '[]', '{"a":'] : [])]) {
      const spoilt = openSpoilt(
        name,
        changed((lines) => lines.toSpliced(1, 0, line)),
        0,
      );
      await expect(spoilt).rejects.toMatchObject({ code: 'run-damaged' });
      await expect(spoilt).rejects.toThrow(`${tables[name]}: line 2 is no `);
    }
  });

  it.each<[Name, object, string]>([
    ['ledger', { dueUs: undefined }, 'dueUs is missing'],
    ['ledger', { seq: -1 }, 'seq is -1, not'],
    ['ledger', { outcome: 'OK' }, 'outcome is "OK", not'],
    ['ledger', { outcome: 'status-5020' }, 'outcome is "status-5020", not'],
    ['ledger', { method: 'get' }, 'method is "get", not'],
    ['ledger', { connection: '' }, 'connection is "", not'],
    ['ledger', { hasNoLength: false }, 'hasNoLength is false, not'],
    ['direct', { doneUs: null }, 'doneUs is null, not'],
    ['proxy', { StartUTC: 'x' }, 'StartUTC is "x", not'],
    ['proxy', { StartUTC: '2026-13-01T00:00:00Z' }, 'StartUTC is "2026-13-01T00:00:00Z", not'],
    ['proxy', { StartUTC: '2026-11-23T12:00:00+01:00' }, 'StartUTC is "2026-11-23T12:00:00+01:00", not'],
    ['proxy', { Duration: undefined }, 'Duration is missing'],
    ['proxy', { Duration: -5 }, 'Duration is -5, not'],
    ['proxy', { DownstreamStatus: 'ok' }, 'DownstreamStatus is "ok", not'],
    ['proxy', { RequestMethod: undefined }, 'RequestMethod is missing'],
    ['site', { receivedUs: undefined }, 'receivedUs is missing'],
    ['site', { bodyCrc32: 'x' }, 'bodyCrc32 is "x", not'],
    ['site', { version: null }, 'version is null, not'],
    ['site', { instance: undefined }, 'instance is missing'],
    ['site', { outcome: 'x' }, 'outcome is "x", not'],
    ['site', { store: { code: 'OK' } }, 'store is {"code":"OK"}, not'],
    ['notes', { times: 0 }, 'times is 0, not'],
    ['notes', { versions: null }, 'versions is null, not'],
    ['notes', { writtenUs: 0 }, 'writtenUs is 0, not'],
  ])('is told with the line and the field that is missing or wrong: %s %o', async (name, over, why) => {
    // As in a large file, where DuckDB alone finds it.
    const spoilt = openSpoilt(name, lineWith(over), 0);
    await expect(spoilt).rejects.toThrow(`${tables[name]}: line 3 is no `);
    await expect(spoilt).rejects.toThrow(`: ${why}`);
  });

  it('that is short may not even have a text for a number', async () => {
    await expect(openSpoilt('proxy', lineWith({ Duration: '5' }))).rejects.toThrow('line 3 is no');
    await expect(openSpoilt('ledger', lineWith({ sentUs: undefined }))).rejects.toThrow('sentUs is missing');
  });

  it('may have more fields than are read', async () => {
    const rows = content.ledger.length;
    expect(await openSpoilt('ledger', lineWith({ more: [1], 'downstream_X-App-Version': 5 }))).toBe(rows);
    const deep = changed((lines) =>
      lines.with(2, lines[2]?.replace('{', `{"x":${'['.repeat(1e5)}${']'.repeat(1e5)},`) ?? ''),
    );
    expect(await openSpoilt('ledger', deep, 0)).toBe(rows);
  });

  it.each<[string, (lines: string[]) => string[], string]>([
    ['is missing', (lines) => lines.slice(1), 'line 1 is no state of a database: integrity is missing'],
    ['comes twice', (lines) => [lines[0] ?? '', ...lines], 'line 2 is no note: id is missing'],
  ])('of the notes begins with the state of the database: it %s', async (_, spoil, sentence) => {
    await expect(openSpoilt('notes', changed(spoil))).rejects.toThrow(sentence);
  });

  it('is told where a line says a thing twice, without the name of a file that is not theirs', async () => {
    const twice = changed((lines) => lines.with(1, (lines[1] ?? '').replace('{', '{"port":1,')));
    await expect(openSpoilt('queues', twice)).rejects.toThrow(
      /queues\.ndjson\.gz cannot be read: in line 2: .* has duplicate key "port"/u,
    );
  });

  it('is told where a number is larger than its column, in plain words', async () => {
    const huge = changed((lines) => lines.with(1, (lines[1] ?? '').replace(/"port":\d+/u, '"port":9007199254740991')));
    await expect(openSpoilt('queues', huge)).rejects.toThrow(
      'queues.ndjson.gz cannot be read: the number 9007199254740991 is out of range.',
    );
  });

  it('is refused where it is a link', async () => {
    const path = join(folder, runFiles.queues);
    await rename(path, join(folder, 'away'));
    await symlink(join(folder, 'away'), path);
    const refusal = (words: RegExp): unknown =>
      expect.objectContaining({ code: 'run-refused', message: expect.stringMatching(words) as string });
    await expect(openDatabase(folder, content.run, ['queues'])).rejects.toEqual(
      refusal(/queues\.ndjson\.gz is a link/u),
    );
    await rename(join(folder, 'away'), path);
  });

  it('is refused where it unpacks to far more than ours, or holds an endless line', async () => {
    const refusal = (words: RegExp): unknown =>
      expect.objectContaining({ code: 'run-refused', message: expect.stringMatching(words) as string });
    // Each member unpacks to a thousand times its size; 64 MiB are free.
    const bomb = Buffer.concat(Array.from({ length: 110 }, () => spaces));
    await expect(openSpoilt('queues', () => bomb, 0)).rejects.toEqual(
      refusal(/unpacks to more than 300 times its size/u),
    );
    const endless = Buffer.concat([gzipSync('{"x":"'), ...Array.from({ length: 40 }, () => letters), gzipSync('"}\n')]);
    await expect(openSpoilt('queues', () => endless, 0)).rejects.toEqual(refusal(/holds a line of more than 4194304/u));
  });

  it('is refused where it has more lines than its schedule can have', async () => {
    // 300 slots may have 20 lines each, and a million are free.
    const lines = gzipSync('null\n'.repeat(1_000));
    const many = Buffer.concat(Array.from({ length: 1_006 }, () => lines));
    const refused = {
      code: 'run-refused',
      message: expect.stringContaining('has 1006000 lines or more') as string,
    };
    await expect(openSpoilt('queues', () => many, 0)).rejects.toMatchObject(refused);
  });

  it('leaves nothing behind where it cannot be read, and nothing after it was', async () => {
    const temporary = join(folder, 'temporary');
    await mkdir(temporary, { recursive: true });
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(openSpoilt('notes', () => Buffer.alloc(0))).rejects.toThrow();
    expect(await openSpoilt('queues', (packed) => packed)).toBe(2);
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('a query of the user’s', () => {
  let database: RunDatabase;
  let folder: string;
  const { signal } = new AbortController();
  beforeAll(async () => {
    folder = await writeFolder(contentOf(e5, 'waited'), { isOfOneTest: false });
    database = await openDatabase(folder, run, ['queues']);
    await database.lock();
    return () => rm(folder, { recursive: true });
  });
  afterAll(() => database.close());

  it('is answered with names and rows, no more than asked for', async () => {
    const asked = await database.answer('select port as a, waiting as a from queues order by waiting', {
      most: 1,
      signal,
    });
    expect(asked).toEqual({ names: ['a', 'a:1'], rows: [[18_080, 0]], isCut: true });
    const all = await database.answer("select [1, 2] as l, {a: 1.5} as s, date '2026-01-02' as d", { most: 2, signal });
    expect(all).toEqual({ names: ['l', 's', 'd'], rows: [[[1, 2], { a: '1.5' }, '2026-01-02']], isCut: false });
  });

  it('keeps a number whole that JavaScript would round', async () => {
    const { rows } = await database.answer('select 9007199254740993 as a, 7::bigint as b', { most: 1, signal });
    expect(rows).toEqual([['9007199254740993', 7]]);
  });

  it('is cut where it has more bytes than memory is for', async () => {
    const large = "select repeat('x', 1048576) from range(80)";
    const { rows, isCut } = await database.answer(large, { most: 1_000, signal });
    expect([rows.length, isCut]).toEqual([63, true]);
  });

  it.each([
    ['reads no file', "select * from read_text('FOLDER/run.json')"],
    ['reads no file by its name alone', "select * from 'FOLDER/run.json'"],
    ['lists no folder', "select * from glob('FOLDER/*')"],
    ['writes no file', "copy (select 1) to 'FOLDER/stolen'"],
    ['opens no database', "attach 'FOLDER/stolen' as other"],
    ['loads no extension', 'load httpfs'],
    ['installs no extension', 'install httpfs'],
    ['reaches no host', "select * from read_csv('http://127.0.0.1:1/')"],
    ['changes no setting', "set memory_limit = '9GB'"],
    ['takes back no lock', 'set enable_external_access = true'],
    ['calls no pragma', 'pragma enable_profiling'],
    ['makes no table', 'create table mine as select 1'],
    ['changes no row', 'delete from queues'],
    ['drops no table', 'drop table queues'],
    ['is one question', 'select 1; select 2'],
    ['is a question', ' ; '],
    ['is of the language', 'selct 1'],
  ])('%s', async (_, sql) => {
    const asked = database.answer(sql.replace('FOLDER', folder), { most: 10, signal });
    await expect(asked).rejects.toMatchObject({ code: 'query-wrong' });
    expect(existsSync(join(folder, 'stolen'))).toBe(false);
  });

  it.each([
    ['while it runs', () => AbortSignal.timeout(50)],
    ['before it runs', () => AbortSignal.abort()],
  ])('ends where it is interrupted %s', async (_, signalOf) => {
    const endless = 'select count(*) from range(1000000) as a(n), range(1000000) as b(n) where a.n * b.n % 7 = 3';
    await expect(database.answer(endless, { most: 1, signal: signalOf() })).rejects.toMatchObject({
      code: 'query-wrong',
    });
    expect(await database.one('select count(*) as rows from queues')).toEqual({ rows: 2 });
  });
});
