import { describe, expect, it } from 'vitest';
import type { AccessLine } from '../run/access-log.ts';
import { RequestTable, type SiteLine } from './request-table.ts';
import { SiteColumns } from './site-columns.ts';

const line: AccessLine = {
  requestId: 'run-1-3',
  method: 'POST',
  path: '/notes',
  status: 201,
  bytes: 42,
  startWallUs: 1_700_000_000_000_123.5,
  durationUs: 2_345.678,
  backend: '127.0.0.1:18080',
  version: 'v2',
};

const siteLine: SiteLine = {
  request: 'run-1-3',
  method: 'POST',
  path: '/notes',
  status: 201,
  receivedUs: 123_456_789_012,
  answeredUs: 123_456_790_000,
  version: 'v2',
  instance: '17-9',
  bodyCrc32: 4_000_000_000,
  store: { waitMs: 1, code: 'OK' },
};

const table = (): RequestTable => new RequestTable(10, 'run-1-');

describe('the proxy’s lines', () => {
  it('are found by slot, with nothing lost', () => {
    const requests = table();
    expect(requests.addAccess({ ...line, requestId: 'prime-1' })).toBeNull();
    expect(requests.addAccess(line)).toBe(3);
    expect(requests.accessOf(3)).toEqual({
      line: 2,
      times: 1,
      method: 'POST',
      path: '/notes',
      status: 201,
      bytes: 42,
      startWallUs: 1_700_000_000_000_123.5,
      durationUs: 2_345.678,
      hasBackend: true,
      version: 'v2',
    });
    expect(requests.accessOf(2)).toBeNull();
    expect(requests.accessOf(99)).toBeNull();
  });

  it('tell when the proxy answered for the last time, whomever', () => {
    const requests = table();
    expect(requests.proxyLastWallUs).toBe(0);
    requests.addAccess(line);
    requests.addAccess({ ...line, requestId: 'prime-1', startWallUs: line.startWallUs - 1_000, durationUs: 9_000 });
    requests.addAccess({ ...line, requestId: 'run-1-4', startWallUs: line.startWallUs + 2_000, durationUs: 10 });
    expect(requests.proxyLastWallUs).toBe(line.startWallUs + 8_000);
  });

  it('without backend and version are the proxy’s own', () => {
    const requests = table();
    requests.addAccess({ ...line, backend: undefined, version: undefined });
    expect(requests.accessOf(3)).toMatchObject({ hasBackend: false, version: null });
  });

  it('of one request are counted, and the last one stands', () => {
    const requests = table();
    for (const status of [502, 503, 200]) requests.addAccess({ ...line, status });
    expect(requests.accessOf(3)).toMatchObject({ line: 3, times: 3, status: 200 });
    for (let more = 0; more < 300; more++) requests.addAccess(line);
    expect(requests.accessOf(3)?.times).toBe(255);
  });

  it.each(['run-1-10', 'run-1--1', 'run-1-1.5', 'run-1-x', 'run-2-3', 'xrun-1-3'])(
    'of %s are of no slot',
    (requestId) => {
      expect(table().addAccess({ ...line, requestId })).toBeNull();
    },
  );

  it.each([
    ['run-1-0', 0],
    ['run-1-9', 9],
  ])('of %s are of slot %i', (requestId, seq) => {
    expect(table().addAccess({ ...line, requestId })).toBe(seq);
  });
});

describe('the site’s lines', () => {
  it('are found by slot, with nothing lost', () => {
    const requests = table();
    requests.addSite({ ...siteLine, request: null });
    requests.addSite(siteLine);
    expect(requests.siteOf(3)).toEqual([
      {
        line: 2,
        method: 'POST',
        path: '/notes',
        status: 201,
        receivedUs: 123_456_789_012,
        answeredUs: 123_456_790_000,
        version: 'v2',
        instance: '17-9',
        bodyCrc32: 4_000_000_000,
        code: 'OK',
        isCut: false,
      },
    ]);
    expect(requests.siteOf(4)).toEqual([]);
    expect(requests.siteOf(99)).toEqual([]);
  });

  it('of several tries are all there, in the order of the log', () => {
    const requests = table();
    const { store, bodyCrc32, ...plain } = siteLine;
    expect(store?.code).toBe('OK');
    requests.addSite({ ...plain, status: null, outcome: 'cut' });
    requests.addSite({ ...siteLine, request: 'run-1-4' });
    requests.addSite({ ...plain, version: 'v3', instance: '18-9', outcome: 'cut' });
    requests.addSite({ ...siteLine, status: 503, store: { waitMs: 1, code: 'SQLITE_BUSY' } });
    const common = { method: 'POST', path: '/notes', receivedUs: 123_456_789_012, answeredUs: 123_456_790_000 };
    expect(requests.siteOf(3)).toEqual([
      { ...common, line: 1, status: null, version: 'v2', instance: '17-9', bodyCrc32: null, code: '', isCut: true },
      { ...common, line: 3, status: 201, version: 'v3', instance: '18-9', bodyCrc32: null, code: '', isCut: true },
      {
        ...common,
        line: 4,
        status: 503,
        version: 'v2',
        instance: '17-9',
        bodyCrc32,
        code: 'SQLITE_BUSY',
        isCut: false,
      },
    ]);
  });

  it('tell when each process read requests of the load, first and last', () => {
    const columns = new SiteColumns(10, 'run-1-');
    const read = (seq: number | string, instance: string, receivedUs: number): void =>
      columns.add({ ...siteLine, request: `run-1-${seq}`, instance, receivedUs });
    read(4, 'a', 50);
    read(3, 'a', 40);
    read(5, 'b', 90);
    read(0, 'a', 70);
    // A further try, of the one and of the other.
    read(0, 'b', 80);
    read(3, 'a', 99);
    read('x', 'c', 1);
    expect(columns.instanceSpans()).toEqual([
      { instance: 'a', first: { receivedUs: 40, line: 2 }, last: { receivedUs: 99, line: 6 } },
      { instance: 'b', first: { receivedUs: 80, line: 5 }, last: { receivedUs: 90, line: 3 } },
    ]);
    expect(new SiteColumns(10, 'run-1-').instanceSpans()).toEqual([]);
  });
});
