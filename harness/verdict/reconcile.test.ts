import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import type { AccessLine } from '../run/access-log.ts';
import { CheckStates } from '../run/check-states.ts';
import type { ProxyLogLine } from '../run/proxy-log.ts';
import { FailedTries } from './failed-tries.ts';
import { Reconciler } from './reconcile.ts';
import { RequestTable, type SiteLine } from './request-table.ts';
import { wrongAlone, type RowRules } from './row-alone.ts';
import { badRow, row, window } from './testing.ts';

const originMonotonicUs = 1_000_000_000;
const wallOffsetUs = 5_000_000_000;

const rules: RowRules = { idPrefix: 'run-1-', ratePerSecond: 100, expectedStatus: null, deadlineMs: 30_000 };

/** A row as its rules make it: 100 a second. */
const ok = (seq: number, over: Partial<LedgerRow> = {}): LedgerRow => row(seq, { requestId: `run-1-${seq}`, ...over });

const accessOf = (
  { requestId, method, path, sentUs, status, version }: LedgerRow,
  over: Partial<AccessLine> = {},
): AccessLine => ({
  requestId,
  method,
  path,
  status: status ?? 502,
  bytes: 10,
  startWallUs: (sentUs ?? 0) + 200 + originMonotonicUs + wallOffsetUs,
  durationUs: 1_000,
  backend: '127.0.0.1:18080',
  version: version ?? undefined,
  ...over,
});

const siteOf = (
  { requestId, method, path, sentUs, status, bodyCrc32 }: LedgerRow,
  over: Partial<SiteLine> = {},
): SiteLine => ({
  request: requestId,
  method,
  path,
  status,
  receivedUs: originMonotonicUs + (sentUs ?? 0) + 300,
  answeredUs: originMonotonicUs + (sentUs ?? 0) + 900,
  version: 'v0',
  instance: 'i',
  ...(bodyCrc32 !== null && { bodyCrc32 }),
  ...over,
});

function reconcile(
  rows: LedgerRow[],
  access: AccessLine[],
  site: SiteLine[],
  { log = [], windows = [window] }: { log?: readonly ProxyLogLine[]; windows?: readonly (typeof window)[] } = {},
) {
  const table = new RequestTable(300, 'run-1-');
  const tries = new FailedTries();
  const checks = new CheckStates();
  for (const line of access) {
    table.addAccess(line);
    tries.addAnswer(line);
  }
  for (const line of site) table.addSite(line);
  for (const line of log) {
    tries.addLogLine(line);
    checks.addLogLine(line);
  }
  const reconciler = new Reconciler({
    isOnlyTry: true,
    hasProxy: true,
    hasSiteLog: true,
    originMonotonicUs,
    originWallUs: originMonotonicUs + wallOffsetUs,
    proxyLastWallUs: 0,
    wallClockUs: 5_000,
    checkIntervalUs: 0,
    table,
    windows,
    unplanned: [],
    tries,
    checks,
    engine: [],
  });
  for (const one of rows) reconciler.addRow(one, wrongAlone(one, rules));
  return reconciler.result();
}

/** What is said of one ok row when something about it, its access line or its site line is not as it should be. */
function said(over: { row?: Partial<LedgerRow>; access?: Partial<AccessLine>; site?: Partial<SiteLine> }): string {
  const good = ok(7);
  const result = reconcile([{ ...good, ...over.row }], [accessOf(good, over.access)], [siteOf(good, over.site)]);
  expect(result.disagreeing).toBe(result.disagreements.length);
  return result.disagreements.map(({ what }) => what).join();
}

describe('reconciliation', () => {
  it('finds nothing where all three agree', () => {
    expect(said({})).toBe('');
  });

  it.each([
    ['its due time moved', { row: { dueUs: 70_001 } }, 'not due at'],
    ['its id changed', { row: { requestId: 'run-1-8' } }, 'its id is run-1-8'],
    ['its times are not in order', { row: { doneUs: 70_050 } }, 'not in order'],
    ['ok with a status that is none', { row: { status: 502 } }, 'ok with status 502'],
    ['an outcome that is not its status', { row: { outcome: 'status-503' } }, 'status-503 with status 200'],
    ['a drop that was an answer', { row: { outcome: 'reset' } }, 'reset of a request that was answered 200'],
    ['another length', { row: { bytes: 11 } }, "11 bytes here, 10 in the proxy's log"],
    [
      'an answer that is not there, which the proxy gave',
      { row: { outcome: 'closed', status: null, firstByteUs: null, version: null, doneUs: 200_000 } },
      'closed here, and answered 200',
    ],
    ['a body that the site did not send', { row: { bodyCrc32: 1 } }, 'another body than the one that arrived'],
    ['a body of which the site’s log knows nothing', { site: { bodyCrc32: undefined } }, 'another body'],
    ['a new connection that never stood', { row: { connection: 'new' } }, 'answered, and never connected'],
    ['an answer that no backend gave', { access: { backend: undefined } }, 'ok, and by the proxy itself'],
    ['a status that the proxy did not give', { row: { status: 201 } }, "201 here, 200 in the proxy's log"],
    ['another version', { row: { version: 'v1' } }, 'version v1 here, v0'],
    ['another instance', { row: { instance: 'j' } }, 'names another process'],
    ['another path', { row: { path: '/notes/y' } }, "the proxy's log has GET /notes/x"],
    ['a changed status in the proxy’s log', { access: { status: 500 } }, "200 here, 500 in the proxy's log"],
    ['a proxy’s clock an hour off', { access: { startWallUs: 3.6e9 } }, 'the proxy saw it begin'],
    ['an answer that the proxy ended later', { access: { durationUs: 900_000 } }, 'after the client had its answer'],
    ['no answer of the site', { site: { status: null } }, "the site's log has no answer 200"],
    ['a site’s clock that is off', { site: { receivedUs: 5, answeredUs: 6 } }, 'the site read it at'],
    ['an answer before it was given', { site: { answeredUs: originMonotonicUs + 900_000 } }, 'the site answered at'],
  ] as const)('finds %s', (_, over, sentence) => {
    expect(said(over)).toContain(sentence);
  });

  it('an answer that came sooner than the time it asked for is none', () => {
    expect(
      said({ row: { path: '/slow?ms=300' }, access: { path: '/slow?ms=300' }, site: { path: '/slow?ms=300' } }),
    ).toContain('sooner than the time it asked');
  });

  it('forgives a process that was killed between its answer and its line', () => {
    const killed = { ...window, acceptStoppedUs: 1_050_000, exitUs: 1_050_000, retireUs: 1_000_000 };
    const last = ok(104);
    const { disagreeing } = reconcile([last], [accessOf(last)], [], { windows: [killed] });
    expect(disagreeing).toBe(0);
  });
});

describe('the cause of a drop', () => {
  const bad = (seq: number, status: number): LedgerRow =>
    badRow(seq, { requestId: `run-1-${seq}`, outcome: `status-${status}`, status });

  it('is named with the witness that shows it', () => {
    const rows = [bad(110, 502), bad(111, 503), bad(112, 404)];
    const [gateway, unavailable, unrouted] = rows.map((one) => accessOf(one)) as [AccessLine, AccessLine, AccessLine];
    const log: ProxyLogLine[] = [
      { line: 7, atWallUs: gateway.startWallUs, kind: 'check', service: 'demo', server: 'http://a', up: false },
      {
        line: 8,
        atWallUs: gateway.startWallUs + gateway.durationUs - 100,
        kind: 'failed-try',
        status: 502,
        failure: 'refused',
        error: 'connection refused',
      },
    ];
    const access = [gateway, { ...unavailable, backend: undefined }, { ...unrouted, backend: undefined }];
    const { causes, examples, unexplained } = reconcile(rows, access, [], { log });
    expect(unexplained).toBe(0);
    expect(causes).toEqual({
      'refused: nobody listened at the backend’s port': 1,
      'the proxy’s check held no backend to be up': 1,
      'the proxy had no route': 1,
    });
    expect(Object.values(examples)).toEqual([
      { seq: 110, file: 'witnesses/traefik.log.gz', line: 8 },
      { seq: 111, file: 'witnesses/traefik.log.gz', line: 7 },
      { seq: 112, file: 'witnesses/access.ndjson.gz', line: 3 },
    ]);
  });

  it('is the site’s own answer where the site gave it', () => {
    const refused = { ...bad(20, 503), version: 'v0', instance: 'i' };
    const { causes } = reconcile(
      [refused],
      [accessOf(refused)],
      [siteOf(refused, { store: { waitMs: 0.1, code: 'SQLITE_BUSY' } })],
    );
    expect(causes).toEqual({ 'the site itself answered 503 (SQLITE_BUSY)': 1 });
  });

  it('is none for a 502 outside every restart, nor for a row of which no witness knows', () => {
    const early = bad(20, 502);
    expect(reconcile([early], [accessOf(early)], [])).toMatchObject({ unexplained: 1, unexplainedRows: [20] });
    expect(reconcile([bad(110, 502)], [], [])).toMatchObject({ unexplained: 1, unexplainedRows: [110] });
  });
});
