import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { DirectCheck, ProbeAnswerCount, probePrefixOf } from './direct-check.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { SiteLine } from './site-columns.ts';
import { row, window } from './testing.ts';
import { originMonotonicUs, siteLineOf } from './testing-folder.ts';

const runId = '20261123T120000Z-abcd';

/** Request `seq` of a probe of twenty a second that began 7 ms after the load. */
function probed(seq: number, over: Partial<LedgerRow> = {}): LedgerRow {
  const dueUs = 7_000 + seq * 50_000;
  const requestId = `${probePrefixOf(runId)}${seq}`;
  const asked = {
    dueUs,
    requestId,
    path: '/livez',
    connection: 'new',
    connectedUs: dueUs + 300,
    bodyCrc32: 9,
  } as const;
  return row(seq, { ...asked, ...over });
}

const unanswered = {
  status: null,
  version: null,
  instance: null,
  connectedUs: null,
  firstByteUs: null,
  bodyCrc32: null,
} as const;
const refused: Partial<LedgerRow> = { ...unanswered, outcome: 'refused', error: 'ECONNREFUSED, connect' };
/** Sixty rows, of which 20 to 29 were refused. */
const rows = Array.from({ length: 60 }, (_, seq) => probed(seq, seq >= 20 && seq < 30 ? refused : {}));
const lines = rows.filter(({ outcome }) => outcome === 'ok').map((one) => siteLineOf(one));

function doubts(
  given: { rows?: readonly LedgerRow[]; lines?: readonly SiteLine[]; windows?: readonly RestartWindow[] },
  untilUs = 2_990_000,
): string[] {
  const count = new ProbeAnswerCount(probePrefixOf(runId));
  for (const line of given.lines ?? lines) count.add(line);
  const check = new DirectCheck({
    runId,
    ratePerSecond: 20,
    originMonotonicUs,
    answers: count.answers,
    windows: given.windows ?? [],
  });
  for (const one of given.rows ?? rows) check.add(one);
  return check.doubts(untilUs);
}

/** The rows with one in another way. */
const but = (seq: number, over: Partial<LedgerRow>): LedgerRow[] =>
  rows.map((one) => (one.seq === seq ? { ...one, ...over } : one));

describe('the direct probe', () => {
  it('agrees with the site’s log, whatever the order of its rows', () => {
    expect(doubts({})).toEqual([]);
    expect(doubts({ rows: [...rows].reverse() })).toEqual([]);
    const others = [siteLineOf(row(1)), siteLineOf(row(2), { request: null })];
    expect(doubts({ lines: [...others, ...lines] })).toEqual([]);
  });

  it.each<[string, Parameters<typeof doubts>[0], string, number]>([
    ['a row twice', { rows: [...rows, probed(17)] }, 'row 17 is there more than once', 1],
    ['all rows twice', { rows: [...rows, ...rows] }, 'row 0 is there more than once', 60],
    ['a refused row taken out', { rows: rows.filter(({ seq }) => seq !== 21) }, 'row 21 is missing', 1],
    ['an answered row taken out', { rows: rows.filter(({ seq }) => seq !== 5) }, 'row 5 is missing', 2],
    [
      'its end taken out',
      { rows: rows.slice(0, 55) },
      `${runId}-direct-1-55 (line 46 of the site's log) has no row`,
      6,
    ],
    ['a refused row made ok', { rows: but(21, probed(21)) }, "row 21 is ok, and the site's log has no line of it", 1],
    ['an ok row made refused', { rows: but(3, refused) }, 'row 3 is refused, and the site read it (line 4 of', 1],
    ['another status', { rows: but(3, { status: 204 }) }, 'row 3 is ok, with the status 204', 1],
    ['a status it cannot have', { rows: but(21, { status: 200 }) }, 'row 21 is refused, with the status 200', 1],
    [
      'an ok row made 503',
      { rows: but(3, { outcome: 'status-503', status: 503 }) },
      'row 3 is status-503, and the site answered 200',
      1,
    ],
    [
      'an outcome that is not that of its status',
      { rows: but(3, { outcome: 'status-503' }) },
      'row 3 is status-503, with the status 200',
      1,
    ],
    [
      'an ok row made unsent',
      { rows: but(3, { ...refused, outcome: 'unsent' }) },
      'row 3 is unsent, and the site read it',
      1,
    ],
    [
      'a connection that never was, with a status',
      { rows: but(21, { outcome: 'connect-timeout', status: 200 }) },
      'row 21 is connect-timeout, with the status 200',
      1,
    ],
    ['another version', { rows: but(3, { version: 'v7' }) }, 'row 3 was answered by another process', 1],
    ['another instance', { rows: but(3, { instance: 'x' }) }, 'row 3 was answered by another process', 1],
    ['another id', { rows: but(3, { requestId: 'x' }) }, 'row 3 has the id x', 1],
    ['another due time', { rows: but(3, { dueUs: 1 }) }, 'row 3 was due at 1 µs', 1],
    ['a line twice', { lines: [...lines, siteLineOf(probed(3))] }, 'row 3 was answered 2 times', 1],
    [
      'a line that was cut',
      { lines: lines.map((one, at) => (at === 3 ? { ...one, outcome: 'cut' as const } : one)) },
      'row 3 is ok, and the site answered a part',
      1,
    ],
  ])('does not with %s', (_, given, what, places) => {
    const [doubt, ...others] = doubts(given);
    expect(others).toEqual([]);
    expect(doubt).toContain(
      `The direct probe (witnesses/direct.ndjson.gz) disagrees with itself or with the site's log in ${places} places: `,
    );
    expect(doubt).toContain(what);
  });

  it('is read and answered while it is under way, give or take a millisecond: both stamp by one clock', () => {
    // Row 3 is due at 157 ms, sent 100 µs later, and done 2 ms after it was due; the site answered 300 µs before that.
    const said = (over: Partial<SiteLine>): string[] =>
      doubts({ lines: lines.map((one, at) => (at === 3 ? { ...one, ...over } : one)) });
    expect(said({ receivedUs: originMonotonicUs + 156_100, answeredUs: originMonotonicUs + 160_000 })).toEqual([]);
    const sentence =
      'row 3 was under way from 157100 to 159000 µs, which is not when the site read and answered it (line 4 of';
    expect(said({ receivedUs: originMonotonicUs + 156_099 })[0]).toContain(sentence);
    expect(said({ answeredUs: originMonotonicUs + 160_001 })[0]).toContain(sentence);
    expect(said({ receivedUs: originMonotonicUs + 158_700, answeredUs: originMonotonicUs + 158_700 })).toEqual([]);
    expect(said({ receivedUs: originMonotonicUs + 158_701, answeredUs: originMonotonicUs + 158_700 })[0]).toContain(
      sentence,
    );
    expect(doubts({ rows: but(3, { doneUs: 157_699 }) })[0]).toContain('row 3 was under way');
    expect(doubts({ rows: but(3, { sentUs: null, connectedUs: null }) })[0]).toContain('row 3 is none that');
  });

  it('goes on until the load has ended', () => {
    const without = { rows: rows.slice(0, 50), lines: lines.slice(0, 40) };
    expect(doubts(without)[0]).toContain("its last row was due at 2.457 s, before the load's last");
    expect(doubts(without, 2_507_000)).toEqual([]);
    expect(doubts({ rows: [], lines: [] })).toEqual([]);
  });

  it('may have an answer of a process that died of a signal before it wrote its line', () => {
    const killed = { ...window, retireUs: 100_000, exitUs: 160_000, acceptStoppedUs: 160_000 };
    const unwritten = { lines: lines.filter((_, at) => at !== 3) };
    expect(doubts({ ...unwritten, windows: [killed] })).toEqual([]);
    expect(doubts({ ...unwritten, windows: [{ ...killed, acceptStoppedUs: 120_000 }] })).toHaveLength(1);
    expect(doubts({ ...unwritten, windows: [{ ...killed, retireUs: 160_000 }] })).toHaveLength(1);
  });

  it('may have failed in other ways, whether the site has a line of it or not', () => {
    const failed = [
      { outcome: 'reset', error: 'ECONNRESET, wait' },
      { outcome: 'closed', error: 'FIN, wait' },
      { outcome: 'timeout', error: 'ETIMEDOUT, wait' },
    ] as const;
    for (const one of failed) {
      const given = { rows: but(3, { ...unanswered, connectedUs: 157_300, ...one }) };
      expect(doubts(given)).toEqual([]);
      expect(doubts({ ...given, lines: lines.filter((_, at) => at !== 3) })).toEqual([]);
    }
    expect(doubts({ rows: but(3, { outcome: 'wrong' }) })).toEqual([]);
  });

  it.each<[Partial<LedgerRow>, string]>([
    [{ trial: 2 }, 'row 3 is none that a load generator makes: it is of trial 2'],
    [{ connectedUs: 159_001 }, 'row 3 is none that a load generator makes: its times are not in order'],
    [{ firstByteUs: 159_001 }, 'row 3 is none that a load generator makes: its times are not in order'],
    [{ method: 'POST' }, 'row 3 asks for POST /livez on a new connection'],
    [{ path: '/livezx' }, 'row 3 asks for GET /livezx on a new connection'],
    [{ connection: 'kept' }, 'row 3 asks for GET /livez on a kept connection'],
    [{ bytes: 11 }, 'row 3 has 11 bytes of a body that has 10 elsewhere'],
    [{ bodyCrc32: 8 }, 'row 3 has another body than the site sent (line 4 of'],
    // The site answered at 158.7 ms.
    [{ doneUs: 658_701 }, 'row 3 had its answer 500 ms after the site gave it (line 4 of'],
  ])('has rows as the load generator makes them, not with %j', (over, what) => {
    expect(doubts({ rows: but(3, over) })[0]).toContain(what);
  });

  it('may have its answer half a second after the site gave it, on a machine that stands still', () => {
    expect(doubts({ rows: but(3, { doneUs: 658_700 }) })).toEqual([]);
  });
});
