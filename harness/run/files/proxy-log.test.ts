import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runFiles } from '../run-folder.ts';
import { isKept, parseProxyLogLine, readProxyLog, readProxyLogHead, type ProxyLogLine } from './proxy-log.ts';

const stamp = '1970-01-01T00:00:02.000500000Z';
const atWallUs = 2_000_500;
const parse = (fields: Record<string, unknown>): ProxyLogLine | null =>
  parseProxyLogLine(`${stamp} ${JSON.stringify({ level: 'debug', ...fields })}`, 7);

describe('a line of the proxy’s own log', () => {
  it.each([
    ['dial tcp 127.0.0.1:18080: connect: connection refused', 'refused'],
    ['read tcp 127.0.0.1:4->127.0.0.1:18080: read: connection reset by peer', 'reset'],
    ['write tcp 127.0.0.1:4->127.0.0.1:18080: write: broken pipe', 'reset'],
    ['write tcp 127.0.0.1:4->127.0.0.1:18080: use of closed network connection', 'reset'],
    ['EOF', 'reset'],
    ['unexpected EOF', 'reset'],
    ['http: server closed idle connection', 'reset'],
    ['net/http: HTTP/1.x transport connection broken: malformed', 'reset'],
    ['dial tcp 127.0.0.1:18080: i/o timeout', 'timeout'],
    ['net/http: timeout awaiting response headers', 'timeout'],
    ['net/http: request canceled (Client.Timeout exceeded while awaiting headers)', 'timeout'],
    ['context deadline exceeded', 'timeout'],
    ['context canceled', 'cancelled'],
    ['no such host', 'other'],
    ['', 'other'],
  ] as const)('tells why a try failed: %j', (error, failure) => {
    expect(parse({ message: '502 Bad Gateway', error })).toEqual({
      line: 7,
      atWallUs,
      kind: 'failed-try',
      status: 502,
      failure,
      error,
    });
  });

  it.each([400, 499, 500, 504])('with %i is an answer of the proxy’s own', (status) => {
    expect(parse({ message: `${status} Words` })).toMatchObject({ kind: 'failed-try', status });
  });

  it.each(['200 OK', '302 Found', '50 x', '5022 x', '502', 'x 502 Bad Gateway', 'Health check', 'Setting status'])(
    'that begins with no such status is about something else: %j',
    (message) => {
      expect(parse({ message })).toBeNull();
    },
  );

  it('tells of a further try', () => {
    expect(parse({ message: 'New attempt 2 for request: /notes' })).toEqual({ line: 7, atWallUs, kind: 'another-try' });
    expect(parse({ message: 'no New attempt 2' })).toBeNull();
  });

  it.each([
    ['UP', true],
    ['DOWN', false],
  ])('tells what the check holds: %s', (to, up) => {
    expect(parse({ message: `Setting status of http://127.0.0.1:18080 to ${to}`, serviceName: 'demo@file' })).toEqual({
      line: 7,
      atWallUs,
      kind: 'check',
      service: 'demo@file',
      server: 'http://127.0.0.1:18080',
      up,
    });
  });

  it.each([
    'Setting status of a to SIDEWAYS',
    'Setting status of a b to UP',
    'x Setting status of a to UP',
    'Setting status of a to UP.',
  ])('is no change of the check: %s', (message) => {
    expect(parse({ message })).toBeNull();
  });

  it('tells of a check that failed, and why', () => {
    expect(parse({ message: 'Health check failed.', serviceName: 'demo@file', error: 'HTTP 503' })).toEqual({
      line: 7,
      atWallUs,
      kind: 'check-failed',
      service: 'demo@file',
      error: 'HTTP 503',
    });
  });

  it('has no words where a field is no text', () => {
    expect(parse({ message: '502 Bad Gateway', error: 3 })).toMatchObject({ failure: 'other', error: '' });
    expect(parse({ message: 502 })).toBeNull();
  });

  it.each([
    ['without a stamp', JSON.stringify({ message: '502 Bad Gateway' })],
    ['with a stamp that is none', `now ${JSON.stringify({ message: '502 Bad Gateway' })}`],
    ['of plain text', `${stamp} 502 Bad Gateway`],
    ['that the engine has cut', `${stamp} {"message":"502 Bad Gate`],
    ['that is empty', ''],
  ])('%s says nothing', (_, text) => {
    expect(parseProxyLogLine(text, 1)).toBeNull();
  });

  it('of every request is not kept, any other is', () => {
    expect(isKept('{"message":"Service selected by WRR: http://127.0.0.1"}')).toBe(false);
    expect(isKept('{"message":"502 Bad Gateway"}')).toBe(true);
  });
});

it('reads a run’s log with the numbers that its lines have in the file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-log-'));
  const read = async (): Promise<ProxyLogLine[]> => {
    const lines: ProxyLogLine[] = [];
    for await (const line of readProxyLog(folder)) lines.push(line);
    return lines;
  };
  try {
    // A run without a proxy of ours has no such file.
    expect(await read()).toEqual([]);
    const lines = ['{"message":"Starting"}', '{"message":"New attempt 1 for request"}', 'x', '{"message":"502 Bad"}'];
    await mkdir(join(folder, 'witnesses'));
    await writeFile(join(folder, runFiles.proxyLog), gzipSync(lines.map((line) => `${stamp} ${line}\n`).join('')));
    expect((await read()).map(({ kind, line }) => [kind, line])).toEqual([
      ['another-try', 2],
      ['failed-try', 4],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('the beginning of a run’s log', () => {
  const headOf = async (lines: readonly string[] | null): Promise<unknown> => {
    const folder = await mkdtemp(join(tmpdir(), 'log-'));
    try {
      await mkdir(join(folder, 'witnesses'));
      const text = (lines ?? []).map((line) => `${line}\n`).join('');
      if (lines !== null) await writeFile(join(folder, runFiles.proxyLog), gzipSync(text));
      return await readProxyLogHead(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const other = `${stamp} {"level":"warn","message":"Traefik can"}`;
  const named = '1970-01-01T00:00:03.000000000Z {"level":"info","version":"3.7.15","message":"Traefik version 3.7.15"}';

  it('has the stamp of its first line, and the version that is named soon', async () => {
    expect(await headOf([other, named])).toEqual({ atWallUs, version: '3.7.15' });
    expect(await headOf([named, other])).toEqual({ atWallUs: 3_000_000, version: '3.7.15' });
    const late = Array.from({ length: 20 }, () => other);
    expect(await headOf([...late.slice(1), named])).toMatchObject({ version: '3.7.15' });
    expect(await headOf([...late, named])).toEqual({ atWallUs, version: null });
  });

  it('is none where there is no line', async () => {
    expect(await headOf(null)).toBeNull();
    expect(await headOf([])).toBeNull();
    expect(await headOf(['', ''])).toBeNull();
  });

  it('without a stamp is at no time', async () => {
    expect(await headOf(['{"level":"info"}'])).toEqual({ atWallUs: Number.NaN, version: null });
  });
});
