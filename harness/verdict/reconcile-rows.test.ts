import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import type { AccessLine } from '../run/access-log.ts';
import { CheckStates } from '../run/check-states.ts';
import { FailedTries } from './failed-tries.ts';
import { Reconciler, type Reconciled, type ReconcilerOptions } from './reconcile.ts';
import { RequestTable, type SiteLine } from './request-table.ts';
import { wrongAlone, type RowRules } from './row-alone.ts';
import { badRow, row, window } from './testing.ts';
import type { Reconciliation } from './verdict.ts';

const originMonotonicUs = 1_000_000_000;
const originWallUs = 6_000_000_000;

const rules: RowRules = { idPrefix: 'run-1-', ratePerSecond: 100, expectedStatus: null, deadlineMs: 30_000 };

/** Slot 7 of 100 a second: due at 70 ms, sent 100 µs later, answered from 71.5 ms on, done at 72 ms. */
const good = row(7);

/** Its lines: the proxy had it from 70.3 to 71.3 ms, the site from 70.4 to 71 ms. */
const access: AccessLine = {
  requestId: 'run-1-7',
  method: 'GET',
  path: '/notes/x',
  status: 200,
  bytes: 10,
  startWallUs: originWallUs + 70_300,
  durationUs: 1_000,
  backend: '127.0.0.1:18080',
  version: 'v0',
};
const site: SiteLine = {
  request: 'run-1-7',
  method: 'GET',
  path: '/notes/x',
  status: 200,
  receivedUs: originMonotonicUs + 70_400,
  answeredUs: originMonotonicUs + 71_000,
  version: 'v0',
  instance: 'i',
  bodyCrc32: good.bodyCrc32 ?? undefined,
};

function reconciler(
  accessLines: AccessLine[],
  siteLines: SiteLine[],
  over: Partial<ReconcilerOptions> = {},
): Reconciler {
  const table = new RequestTable(300, 'run-1-');
  for (const line of accessLines) table.addAccess(line);
  for (const line of siteLines) table.addSite(line);
  return new Reconciler({
    isOnlyTry: true,
    hasProxy: true,
    hasSiteLog: true,
    originMonotonicUs,
    originWallUs,
    proxyLastWallUs: 0,
    wallClockUs: 5_000,
    checkIntervalUs: 0,
    table,
    windows: [window],
    unplanned: [],
    tries: new FailedTries(),
    checks: new CheckStates(),
    engine: [],
    ...over,
  });
}

interface Given {
  row?: Partial<LedgerRow>;
  access?: Partial<AccessLine> | null;
  site?: Partial<SiteLine> | null;
  options?: Partial<ReconcilerOptions>;
}

function found({ row: over, access: ofProxy = {}, site: ofSite = {}, options }: Given): Reconciled {
  return reconciler(
    ofProxy === null ? [] : [{ ...access, ...ofProxy }],
    ofSite === null ? [] : [{ ...site, ...ofSite }],
    options,
  ).addRow(row(7, over), []);
}

const wrong = (given: Given): string => found(given).wrong.join('; ');
describe('a row that is wrong by itself', () => {
  it('disagrees, whatever the witnesses say, and with what they say beside it', () => {
    const alone = ['it was not due at 1 µs'];
    expect(reconciler([access], [site]).addRow(good, alone).wrong).toEqual(alone);
    const besides = reconciler([{ ...access, method: 'POST' }], []).addRow(good, alone).wrong;
    expect(besides).toEqual([
      ...alone,
      "the proxy's log has POST /notes/x (line 1)",
      "the site's log has no answer 200 to it",
    ]);
  });
});

describe('a row beside the proxy’s line', () => {
  const noSite = { hasSiteLog: false };

  it.each<[Partial<AccessLine>, string]>([
    [{ method: 'POST' }, "the proxy's log has POST /notes/x (line 1)"],
    [{ path: '/notes/y' }, "the proxy's log has GET /notes/y (line 1)"],
    [{ status: 500 }, "200 here, 500 in the proxy's log (line 1)"],
    [{ version: 'v1' }, "version v0 here, v1 in the proxy's log (line 1)"],
    [{ version: undefined }, "version v0 here, none in the proxy's log (line 1)"],
    [{ bytes: 9 }, "10 bytes here, 9 in the proxy's log (line 1)"],
    [{ backend: undefined }, 'ok, and by the proxy itself (line 1)'],
  ])('disagrees: %j', (over, sentence) => {
    expect(wrong({ access: over, options: noSite })).toBe(sentence);
  });

  it.each([
    // Sent at 70.1 ms, and 5 ms before at the earliest; done at 72 ms, and 50 ms after at the latest.
    [65_100 - 1, 'the proxy saw it begin at 65099 µs (line 1), which is not while it was under way'],
    [65_100, ''],
    [122_000 - 1_000, ''],
  ])('agrees when it began while it was under way: %i µs', (startUs, sentence) => {
    expect(wrong({ access: { startWallUs: originWallUs + startUs }, options: noSite })).toBe(sentence);
  });

  it('began at the latest 50 ms after the client was done', () => {
    const dropped = { outcome: 'timeout', status: null } as const;
    const begun = (startUs: number): string =>
      wrong({ row: dropped, access: { startWallUs: originWallUs + startUs, durationUs: 0 }, options: noSite });
    expect(begun(122_000)).toBe('');
    expect(begun(122_001)).toContain('the proxy saw it begin at 122001 µs');
  });

  it('counts from the due time what was never sent', () => {
    const never = { outcome: 'refused', status: null, firstByteUs: null, sentUs: null } as const;
    const begun = (startUs: number): string =>
      wrong({ row: never, access: { startWallUs: originWallUs + startUs, durationUs: 40_000 }, options: noSite });
    expect(begun(65_000)).toBe('');
    expect(begun(64_999)).toContain('the proxy saw it begin');
  });

  it('was had by the proxy before the site read it, and ended after the site answered, give or take the wall clock', () => {
    // The site read it at 70.4 ms, and answered at 71 ms.
    const had = (startUs: number, endUs: number): string =>
      wrong({ access: { startWallUs: originWallUs + startUs, durationUs: endUs - startUs } });
    expect(had(75_400, 76_400)).toBe('');
    expect(had(75_401, 76_401)).toBe('the site read it at 70400 µs (line 1), before the proxy had it (line 1)');
    expect(had(65_900, 66_000)).toBe('');
    expect(had(65_900, 65_999)).toBe('the proxy ended it at 65999 µs (line 1), before the site answered (line 1)');
    // A wall clock that moved may be further away.
    const moved = { access: { startWallUs: originWallUs + 75_401 }, options: { wallClockUs: 5_001 } };
    expect(wrong(moved)).toBe('');
  });

  it('ended at the latest 50 ms after the client had an ok answer', () => {
    expect(wrong({ access: { durationUs: 122_000 - 70_300 }, options: noSite })).toBe('');
    expect(wrong({ access: { durationUs: 122_001 - 70_300 }, options: noSite })).toBe(
      'the proxy ended it at 122001 µs (line 1), after the client had its answer',
    );
    expect(
      wrong({ row: { outcome: 'timeout', status: null }, access: { durationUs: 9_000_000 }, options: noSite }),
    ).toBe('');
  });

  it('was answered by the proxy, and yet closed without an answer: not unless the two were at once', () => {
    const closed = { outcome: 'closed', status: null, firstByteUs: null, version: null, doneUs: 200_000 } as const;
    const ended = (endUs: number, status: number): string =>
      wrong({ row: closed, access: { status, durationUs: endUs - 70_300 }, options: noSite });
    expect(ended(149_999, 200)).toBe('closed here, and answered 200 by the proxy (line 1)');
    expect(ended(149_999, 499)).toContain('answered 499');
    expect(ended(150_000, 200)).toBe('');
    expect(ended(149_999, 500)).toContain('answered 500');
    expect(wrong({ row: { ...closed, outcome: 'timeout' }, access: { durationUs: 1_000 }, options: noSite })).toBe(
      'timeout here, and answered 200 by the proxy (line 1)',
    );
  });

  const own = { status: 502, version: undefined, bytes: 11 };

  it.each<[Partial<LedgerRow>, Partial<AccessLine>, string]>([
    // The proxy's own answer is sent in one piece, and so was one that it passed on whole.
    [{ outcome: 'reset' }, own, 'reset here, and answered 502 by the proxy (line 1)'],
    [
      { outcome: 'local', error: 'ENOBUFS, wait' },
      { bytes: 200 },
      'local here, and answered 200 by the proxy (line 1)',
    ],
    [{ outcome: 'closed' }, { bytes: 200 }, 'closed here, and answered 200 by the proxy (line 1)'],
    [{ outcome: 'refused', sentUs: null }, own, 'refused here, and answered 502 by the proxy (line 1)'],
    [{ outcome: 'reset' }, { ...own, status: 400 }, 'reset here, and answered 400 by the proxy (line 1)'],
    [
      { outcome: 'reset' },
      { ...own, durationUs: 122_000 - 70_300 },
      'reset here, and answered 502 by the proxy (line 1)',
    ],
    // One that was cut was not; nor what the client had left; nor what both gave up at one moment.
    [{ outcome: 'closed' }, {}, ''],
    [{ outcome: 'closed' }, { ...own, status: 499 }, ''],
    [{ outcome: 'timeout' }, own, ''],
    [{ outcome: 'connect-timeout', sentUs: null }, own, ''],
    // What a backend answered, whatever it was, the proxy may have passed on in part.
    [{ outcome: 'reset' }, { status: 502 }, ''],
    [{ outcome: 'reset' }, { version: undefined }, ''],
    [{ outcome: 'reset' }, { ...own, durationUs: 122_001 - 70_300 }, ''],
  ])('cannot have none where the proxy answered it: %j, %j', (over, line, sentence) => {
    expect(wrong({ row: over, access: line, options: noSite })).toBe(sentence);
  });

  it('of a proxy that died may have ended anyhow', () => {
    const died = { atWallUs: 0, action: 'die', role: 'edge', detail: 'exit 137' };
    expect(wrong({ row: { outcome: 'reset' }, access: own, options: { ...noSite, engine: [died] } })).toBe('');
    for (const other of [
      { ...died, role: 'client' },
      { ...died, action: 'start' },
    ]) {
      expect(wrong({ row: { outcome: 'reset' }, access: own, options: { ...noSite, engine: [other] } })).toContain(
        '502',
      );
    }
  });

  it('came at the latest 100 ms after the proxy had answered by itself', () => {
    const done = (doneUs: number): string =>
      wrong({ row: { outcome: 'status-502', status: 502, doneUs }, access: { ...own, bytes: 10 }, options: noSite });
    expect(done(171_300)).toBe('');
    expect(done(171_301)).toBe('the proxy ended it at 71300 µs (line 1), long before the client was done');
  });

  it('need not agree in the length of an answer that was cut, nor in that of none', () => {
    expect(wrong({ row: { outcome: 'truncated', bytes: 3 }, options: noSite })).toBe('');
    expect(wrong({ row: { outcome: 'timeout', status: null, bytes: 3 }, options: noSite })).toBe('');
    expect(wrong({ row: { outcome: 'wrong', bytes: 3 }, options: noSite })).toContain('3 bytes here');
  });

  it('need not agree in the version of an answer that is not ok', () => {
    const over = { outcome: 'status-502', status: 502, version: null } as const;
    expect(wrong({ row: over, access: { status: 502, version: 'v9' }, options: noSite })).toBe('');
    expect(wrong({ row: { version: null }, options: noSite })).toContain("version none here, v0 in the proxy's log");
  });

  it('needs no backend where it is not ok', () => {
    const unavailable = { outcome: 'status-503', status: 503, version: null } as const;
    const over = { status: 503, backend: undefined, version: undefined };
    expect(wrong({ row: unavailable, access: over, options: noSite })).toBe('');
  });

  it('is not asked for where there is no proxy, or no line', () => {
    expect(wrong({ access: { status: 500 }, options: { ...noSite, hasProxy: false } })).toBe('');
    expect(wrong({ access: null, options: noSite })).toBe('');
  });
});

describe('a row beside the site’s line', () => {
  it.each<[Partial<SiteLine>, string]>([
    [{ method: 'POST' }, "the site's log has POST /notes/x (line 1)"],
    [{ path: '/notes/y' }, "the site's log has GET /notes/y (line 1)"],
    [{ status: 201 }, "the site's log has no answer 200 to it"],
    [{ outcome: 'cut' }, "the site's log has no answer 200 to it"],
    [{ version: 'v1' }, "the site's log names another process (line 1)"],
    [{ instance: 'j' }, "the site's log names another process (line 1)"],
    [{ bodyCrc32: 7 }, 'the site answered with another body than the one that arrived (line 1)'],
    [{ bodyCrc32: undefined }, 'the site answered with another body than the one that arrived (line 1)'],
  ])('disagrees: %j', (over, sentence) => {
    expect(wrong({ site: over })).toBe(sentence);
  });

  it('was read after it was sent, give or take a millisecond: both stamp by one clock', () => {
    const read = (receivedUs: number): string => wrong({ site: { receivedUs: originMonotonicUs + receivedUs } });
    expect(read(69_100)).toBe('');
    expect(read(69_099)).toBe('the site read it at 69099 µs (line 1), which is not while it was under way');
    expect(read(71_000)).toBe('');
    expect(read(71_001)).toBe('the site answered it before it read it (line 1)');
  });

  it('was answered before the client had the answer, give or take a millisecond', () => {
    const answered = (answeredUs: number): string => wrong({ site: { answeredUs: originMonotonicUs + answeredUs } });
    expect(answered(73_000)).toBe('');
    expect(answered(73_001)).toBe('the site answered at 73001 µs (line 1), after the client had its answer');
  });

  it('counts from the due time what was never sent', () => {
    const never = { outcome: 'local', sentUs: null, status: 200, version: 'v0', instance: 'i' } as const;
    const read = (receivedUs: number): string =>
      wrong({ row: never, access: null, site: { receivedUs: originMonotonicUs + receivedUs } });
    expect(read(69_000)).not.toContain('the site read it');
    expect(read(68_999)).toContain('the site read it at 68999');
  });

  it('need not agree in the body of an answer that was cut', () => {
    expect(wrong({ row: { outcome: 'truncated', bodyCrc32: null } })).toBe('');
  });

  it('is the one of the process that the answer names, of several tries', () => {
    const other = { ...site, version: 'v9', instance: 'other', receivedUs: 0 };
    expect(reconciler([access], [other, site]).addRow(good, []).wrong).toEqual([]);
    expect(reconciler([access], [{ ...other, status: 500 }, site]).addRow(good, []).wrong).toEqual([]);
  });

  it('was read before it was answered', () => {
    expect(wrong({ site: { answeredUs: originMonotonicUs + 70_400 } })).toBe('');
    expect(wrong({ site: { answeredUs: originMonotonicUs + 70_399 } })).toBe(
      'the site answered it before it read it (line 1)',
    );
  });

  it('is there once for each try', () => {
    const twice = reconciler([access], [site, { ...site, status: 500 }]).addRow(good, []).wrong;
    expect(twice).toEqual(["the site's log has one try of it twice (line 2)"]);
    expect(reconciler([access], [site, { ...site, receivedUs: site.receivedUs + 1 }]).addRow(good, []).wrong).toEqual(
      [],
    );
    expect(reconciler([access], [site, { ...site, instance: 'j' }]).addRow(good, []).wrong).toEqual([]);
  });

  it('is whole once for each write, where the proxy does not try again', () => {
    const write = row(7, { method: 'POST', path: '/notes', status: 201 });
    const written = { ...site, method: 'POST', path: '/notes', status: 201, bodyCrc32: write.bodyCrc32 ?? 0 };
    const again = { ...written, receivedUs: written.receivedUs + 10 };
    const beside = (lines: SiteLine[], options: Partial<ReconcilerOptions> = {}): readonly string[] =>
      reconciler([{ ...access, method: 'POST', path: '/notes', status: 201 }], lines, options).addRow(write, []).wrong;
    expect(beside([written])).toEqual([]);
    expect(beside([written, again])).toEqual(['the site answered it 2 times (line 1)']);
    expect(beside([written, again], { isOnlyTry: false })).toEqual([]);
    expect(beside([{ ...again, outcome: 'cut' }, written])).toEqual([]);
    expect(beside([{ ...written, store: { waitMs: 1, code: 'SQLITE_BUSY' } }])).toEqual([
      'the site answered 201 to what SQLite refused (line 1)',
    ]);
  });

  it('is not there where the proxy asked nobody', () => {
    const given: Given = {
      row: { outcome: 'status-503', status: 503, version: null, bytes: 0 },
      access: { status: 503, backend: undefined, version: undefined, bytes: 0 },
    };
    expect(wrong(given)).toBe('the site has it (line 1), and the proxy asked nobody (line 1)');
    expect(wrong({ ...given, options: { isOnlyTry: false } })).toBe('');
    expect(wrong({ ...given, site: null })).toBe('');
  });

  it('was not cut where all of the body arrived', () => {
    const bytes = Buffer.byteLength(JSON.stringify({ id: 'x', text: `note x ${'.'.repeat(32)}` }));
    const cut = (over: number): string =>
      wrong({ row: { outcome: 'truncated', bytes: over }, site: { outcome: 'cut' } });
    expect(cut(bytes - 1)).toBe('');
    expect(cut(bytes)).toBe('truncated with all of the body');
    expect(wrong({ row: { bytes }, access: { bytes } })).toBe('');
  });

  it('may be cut where the client’s answer was', () => {
    expect(wrong({ row: { outcome: 'truncated' }, site: { outcome: 'cut' } })).toBe('');
  });

  it('is asked for where the site’s version was seen, or the answer was ok', () => {
    const bad = { outcome: 'status-502', status: 502 } as const;
    const asked = "the site's log has no answer 502 to it";
    expect(wrong({ row: { ...bad, version: null }, access: { status: 502 }, site: null })).toBe('');
    expect(wrong({ row: { ...bad, version: 'v0' }, access: { status: 502 }, site: null })).toBe(asked);
    expect(wrong({ row: { version: null }, access: { version: undefined }, site: null })).toContain('no answer 200');
    expect(wrong({ site: null, options: { hasSiteLog: false } })).toBe('');
  });

  describe('of a process that was killed between its answer and its line', () => {
    /** Retired at 60 ms, and gone, with its port, at 90 ms. */
    const killed = { ...window, retireUs: 60_000, exitUs: 90_000, acceptStoppedUs: 90_000 };
    const forgiven = (over: Partial<typeof killed>, doneUs = 80_000): boolean =>
      wrong({
        row: { doneUs },
        site: null,
        options: { windows: [window, { ...killed, ...over }] },
      }) === '';

    it('need not be there, from its retiring to 50 ms after its end', () => {
      expect(forgiven({})).toBe(true);
      expect([71_500, 80_000].map((retireUs) => forgiven({ retireUs }, 80_000))).toEqual([true, true]);
      expect(forgiven({ retireUs: 80_001 }, 80_000)).toBe(false);
      expect(forgiven({}, 140_000)).toBe(true);
      expect(forgiven({}, 140_001)).toBe(false);
    });

    it('must be there where the process closed its port itself, or did not end', () => {
      expect(forgiven({ acceptStoppedUs: 89_999 })).toBe(false);
      expect(
        wrong({
          row: { doneUs: 80_000 },
          site: null,
          options: { windows: [{ ...window, retireUs: 60_000, exitUs: null, acceptStoppedUs: null }] },
        }),
      ).toContain('no answer');
    });

    it('must be there just after the run’s begin, too, where nothing ended', () => {
      const none = { ...window, retireUs: 0, exitUs: null, acceptStoppedUs: null };
      const early = reconciler([], [], { hasProxy: false, windows: [none] });
      expect(early.addRow(row(1), []).wrong).toEqual(["the site's log has no answer 200 to it"]);
    });

    it('counts from its end where no retiring was seen', () => {
      const unannounced = { ...window, retireUs: null, exitUs: 75_000, acceptStoppedUs: 75_000 };
      const at = (doneUs: number): boolean =>
        wrong({ row: { doneUs }, site: null, options: { windows: [unannounced] } }) === '';
      expect([74_999, 75_000].map(at)).toEqual([false, true]);
    });
  });
});

describe('the sums', () => {
  function sums(rows: readonly LedgerRow[]): Reconciliation {
    const all = reconciler([], [], { hasProxy: false, hasSiteLog: false });
    for (const one of rows) all.addRow(one, wrongAlone(one, rules));
    return all.result();
  }

  it('count every row that disagrees, and list the first fifty', () => {
    const rows = Array.from({ length: 60 }, (_, seq) => row(seq, { status: 500, requestId: 'x' }));
    const { rows: count, disagreeing, disagreements } = sums([...rows, row(60)]);
    expect([count, disagreeing, disagreements.length]).toEqual([61, 60, 50]);
    expect(disagreements[49]).toEqual({ seq: 49, what: 'its id is x; ok with status 500' });
  });

  it('count every drop without a cause, and list the first fifty', () => {
    const rows = Array.from({ length: 60 }, (_, seq) => badRow(200 + seq, { outcome: 'timeout', status: null }));
    const { unexplained, unexplainedRows, causes } = sums(rows);
    expect([unexplained, unexplainedRows.length, unexplainedRows[49]]).toEqual([60, 50, 249]);
    expect(causes).toEqual({});
  });

  it('count drops by cause, each with its first row, and look for none of what was not dropped', () => {
    const rows = [
      row(110),
      badRow(111, { outcome: 'timeout', status: null }),
      badRow(112, { outcome: 'timeout', status: null }),
    ];
    const cause = 'the site’s port was closed, or its process was leaving';
    expect(
      sums([...rows, row(113, { outcome: 'unsent', sentUs: null, status: null, firstByteUs: null })]),
    ).toMatchObject({
      unexplained: 0,
      causes: { [cause]: 2 },
      examples: { [cause]: { seq: 111, file: 'timeline.ndjson', line: 5 } },
    });
  });

  it('hand on what was found of each row', () => {
    const { cause, access: line, site: lines } = found({});
    expect([cause, line?.line, lines.length]).toEqual([null, 1, 1]);
    const dropped = found({
      row: { outcome: 'status-404', status: 404, version: null },
      access: { status: 404, backend: undefined },
    });
    expect(dropped.cause?.cause).toBe('the proxy had no route');
    expect(dropped.access?.status).toBe(404);
  });
});
