import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { ServerLogLine } from '../../run/files/server-log.ts';
import { row, serviceRecord } from '../testing.ts';
import { askerOf } from '../ledger-summary.ts';
import { serverLogDoubts } from '../service/server-logs.ts';
import { serverLogQueries } from './server-log.ts';
import { sharedRun } from '../testing-database.ts';
import { originMonotonicUs } from '../testing-folder.ts';

const log = {
  ...{ path: 'access.log', formats: ['Caddy, JSON'], lines: 9, ours: 9, notUnderstood: 0, replaced: 0 },
  ...{ joined: 'time' as const, emptied: [] },
};
/** A request from `sentMs` on that took 4 ms, unless it got no answer. */
const asked = (seq: number, sentMs: number, over: Partial<LedgerRow> = {}): LedgerRow =>
  row(seq, { dueUs: sentMs * 1000, sentUs: sentMs * 1000, doneUs: (sentMs + 4) * 1000, path: '/', ...over });
const lost = { outcome: 'closed', method: 'POST' } as const;

/** A line without an id of a request that began at `atMs` and took 2 ms. */
const line = (atMs: number, over: Partial<ServerLogLine> = {}): ServerLogLine => ({
  ...{ log: 1, logLine: 1, atWallUs: originMonotonicUs + atMs * 1000, withinUs: 1_000 },
  ...{ method: 'GET', path: '/', status: 200, durationUs: 2_000 },
  ...over,
});

const shared = sharedRun(() => ({
  run: {
    ...serviceRecord({ accessLogs: ['access.log', 'other.log'] }),
    accessLogs: [log, { ...log, path: 'other.log' }],
  },
  timeline: [],
  ledger: [
    asked(0, 100),
    asked(1, 200, lost),
    asked(2, 300, lost),
    // Side by side: whose line is whose nobody can tell.
    asked(3, 400, lost),
    asked(4, 401, lost),
    asked(5, 500, { outcome: 'refused', method: 'POST' }),
    // Given up before the server had its answer.
    asked(6, 600, { outcome: 'timeout' }),
    asked(7, 700),
  ],
  server: [
    line(101),
    line(201, { method: 'POST' }),
    line(301, { method: 'GET' }),
    line(401, { method: 'POST' }),
    line(603, { durationUs: 90_000 }),
    line(703, { isEnd: true }),
    // A log by another clock.
    line(9_999, { log: 2 }),
  ],
}));

describe('without ids', () => {
  it('a line is a request’s where no other could have it', async () => {
    const found = await shared().database.all('select line, seq from server_lines where isLikely order by line');
    expect(found).toEqual([
      { line: 1, seq: 0 },
      { line: 2, seq: 1 },
      { line: 5, seq: 6 },
      { line: 6, seq: 7 },
    ]);
  });

  it('it is called likely, and what has no line of its own is no cause', async () => {
    const fates = await shared().database.all<{ seq: number; what: string }>(
      'select seq, what from server_fates where log = 1 order by seq',
    );
    const none = 'no line that could be its own: likely it never reached the server';
    const several = 'not told: without ids, several lines may be its own';
    expect(fates.map(({ seq, what }) => [seq, what])).toEqual([
      [1, 'likely answered 200 (the answer was lost on the way)'],
      [2, none],
      [3, several],
      [4, several],
      [5, 'never reached the server'],
      [6, 'likely answered 200, too late for the client'],
    ]);
    expect(await shared().database.all('select * from causes')).toEqual([]);
  });

  it('a log that has nothing of what was answered says nothing by what it does not have', async () => {
    const [counts, fates] = await Promise.all([
      shared().database.all('select missing, isWhole from log_counts order by log'),
      shared().database.all('select distinct what from server_fates where log = 2 and seq <> 5'),
    ]);
    expect(counts).toEqual([
      { missing: 0, isWhole: true },
      { missing: 2, isWhole: false },
    ]);
    expect(fates).toEqual([{ what: 'not told: it has no line of other requests either, which were answered' }]);
  });
});

/** Another client asks the same, once between any two requests of the load. */
const besideAnother = sharedRun(() => ({
  run: { ...serviceRecord({ accessLogs: ['access.log'] }), accessLogs: [log] },
  timeline: [],
  ledger: Array.from({ length: 10 }, (_, seq) =>
    asked(seq, 100 * seq, seq === 5 || seq === 8 ? lost : { method: 'POST' }),
  ),
  server: [0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 501, 600, 700, 750, 900].map((atMs) =>
    line(atMs, { method: 'POST' }),
  ),
}));

describe('without ids, beside another client', () => {
  it('no line is that of a drop', async () => {
    const fates = await besideAnother().database.all('select seq, what from server_fates order by seq');
    expect(fates).toEqual([
      { seq: 5, what: 'not told: without ids, a line may be its own, or of others who ask the same' },
      { seq: 8, what: 'no line that could be its own: likely it never reached the server' },
    ]);
    const [processed] = await besideAnother().database.all(serverLogQueries['server-log-processed'].sql);
    expect(processed).toEqual({ certain: 0, likely: 0 });
  });
});

/** A line with an id. */
const withId = (seq: number, over: Partial<ServerLogLine> = {}): ServerLogLine => line(seq * 100, { seq, ...over });
const id = { ...log, joined: 'id' as const };
/** The second log is that of one of two servers. */
const two = sharedRun(() => ({
  run: { ...serviceRecord({ accessLogs: ['a.log', 'b.log'] }), accessLogs: [id, { ...id, path: 'b.log' }] },
  timeline: [],
  ledger: [asked(0, 0), asked(1, 100), asked(2, 200, lost), asked(3, 300, lost), asked(4, 400, lost)],
  server: [
    ...[withId(0), withId(1), withId(2), withId(2, { status: 503 })],
    withId(3, { isUnread: true, atWallUs: 0, withinUs: 0, method: '', status: null }),
    withId(1, { log: 2 }),
  ],
}));

const behind = sharedRun(() => ({
  run: { ...serviceRecord({ accessLogs: ['a.log'] }), accessLogs: [id] },
  timeline: [],
  ledger: [asked(0, 0, lost), asked(1, 100, lost)],
  server: [withId(0, { status: 502 }), withId(0, { isOther: true }), withId(1, { isOther: true, status: 503 })],
}));

describe('with ids', () => {
  it('no line is said of a log only that has the answers, and not of an id in a line of no known form', async () => {
    const fates = await two().database.all<{ log: number; seq: number; what: string }>(
      'select log, seq, what from server_fates order by log, seq',
    );
    const untold = 'not told: it has no line of other requests either, which were answered';
    expect(fates.map(({ log, seq, what }) => [log, seq, what])).toEqual([
      [1, 2, 'answered 503 (the answer was lost on the way), after 200 in an earlier try'],
      [1, 3, 'its id is in the log, in a line of no known form'],
      [1, 4, 'no line: it never reached the server, or that ended before it wrote one'],
      [2, 2, untold],
      [2, 3, untold],
      [2, 4, untold],
    ]);
    const causes = await two().database.all<{ seq: number }>('select seq from causes');
    expect(causes.map(({ seq }) => seq)).toEqual([2]);
  });

  it('an earlier try that was processed counts, whatever the last one came to', async () => {
    const [processed] = await two().database.all(serverLogQueries['server-log-processed'].sql);
    expect(processed).toEqual({ certain: 1, likely: 0 });
  });

  it.each([
    [[4, 1], []],
    [[5, 1], [/ has 4 lines of --access-log a.log, and run.json says 5: /u]],
    [[4, 2], [/ has 1 lines of --access-log b.log, and run.json says 2: /u]],
  ])('of %j lines that were kept each must be there', async ([a = 0, b = 0], expected) => {
    const accessLogs = [
      { ...id, path: 'a.log', ours: a },
      { ...id, path: 'b.log', ours: b },
    ];
    const doubts = await serverLogDoubts({ ...serviceRecord(), accessLogs }, askerOf(two().database));
    expect(doubts).toEqual(expected.map((words): unknown => expect.stringMatching(words)));
  });

  it('calls behind a request that have its id are no lines of it, unless it has no other', async () => {
    const lines = await behind().database.all('select seq, status from server_lines order by line');
    expect(lines).toEqual([
      { seq: 0, status: 502 },
      { seq: 1, status: 503 },
    ]);
    const [processed] = await behind().database.all(serverLogQueries['server-log-processed'].sql);
    expect(processed).toEqual({ certain: 0, likely: 0 });
  });
});
