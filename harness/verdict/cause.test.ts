import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { CheckStates } from '../run/check-states.ts';
import type { FailureKind } from '../run/proxy-log.ts';
import { causeOf, type Cause, type CauseSources } from './cause.ts';
import { FailedTries } from './failed-tries.ts';
import type { Access, Site } from './request-table.ts';
import { badRow, window } from './testing.ts';

const originWallUs = 7_000_000_000;

interface Options {
  sources?: Partial<CauseSources>;
  /** Failed tries, on the run's axis. */
  tries?: readonly { atUs: number; failure: FailureKind }[];
  /** When the check of the only backend failed, and when it passed again. */
  down?: readonly [fromUs: number, toUs: number];
}

function sourcesOf({ sources, tries = [], down }: Options): CauseSources {
  const failedTries = new FailedTries();
  for (const [index, { atUs, failure }] of tries.entries()) {
    const atWallUs = originWallUs + atUs;
    failedTries.addLogLine({ line: 40 + index, atWallUs, kind: 'failed-try', status: 502, failure, error: '' });
  }
  const checks = new CheckStates();
  for (const [index, atUs] of (down ?? []).entries()) {
    const atWallUs = originWallUs + atUs;
    checks.addLogLine({
      line: 60 + index,
      atWallUs,
      kind: 'check',
      service: 'demo',
      server: 'http://a',
      up: index === 1,
    });
  }
  return {
    hasProxy: true,
    windows: [window],
    unplanned: [],
    tries: failedTries,
    checks,
    engine: [],
    originWallUs,
    proxyLastWallUs: 0,
    checkIntervalUs: 0,
    ...sources,
  };
}

function access(atUs: number, over: Partial<Access> = {}): Access {
  return {
    line: 9,
    times: 1,
    method: 'GET',
    path: '/notes/x',
    status: 502,
    bytes: 0,
    startWallUs: originWallUs + atUs,
    durationUs: 0,
    hasBackend: true,
    version: null,
    ...over,
  };
}

function site(over: Partial<Site> = {}): Site {
  return {
    line: 3,
    method: 'GET',
    path: '/notes/x',
    status: 503,
    receivedUs: 0,
    answeredUs: 0,
    version: 'v0',
    instance: 'i',
    bodyCrc32: null,
    code: '',
    isCut: false,
    ...over,
  };
}

/** A row whose whole life is one moment. */
const at = (atUs: number, over: Partial<LedgerRow> = {}): LedgerRow =>
  badRow(0, { dueUs: atUs, sentUs: atUs, doneUs: atUs, firstByteUs: atUs, ...over });

/** The cause of a 502 of the proxy's at this moment, when it has logged a failure of this kind just then. */
function gateway(atUs: number, failure: FailureKind, options: Options = {}): Cause | null {
  return causeOf(at(atUs), access(atUs), [], sourcesOf({ ...options, tries: [{ atUs, failure }] }));
}

describe('a 502 of the proxy', () => {
  it.each([
    ['refused', 'refused: nobody listened at the backend’s port'],
    ['reset', 'reset: the backend’s connection ended before the answer'],
    ['timeout', 'timeout: the backend took no connection, or gave no answer, in time'],
  ] as const)('is explained by the line of the proxy’s own log: %s', (failure, cause) => {
    expect(gateway(1_400_000, failure)).toEqual({ cause, failure, file: 'witnesses/traefik.log.gz', line: 40 });
  });

  it.each(['cancelled', 'other'] as const)(
    'is not explained by an error that says nothing of the backend: %s',
    (failure) => {
      expect(gateway(1_400_000, failure)).toBeNull();
    },
  );

  it('is none where the proxy passed on all of the site’s answer, whatever else failed then', () => {
    const bytes = Buffer.byteLength(JSON.stringify({ id: 'x', text: `note x ${'.'.repeat(32)}` }));
    const of = (over: Partial<Access>): Cause | null =>
      causeOf(
        at(1_400_000),
        access(1_400_000, over),
        [],
        sourcesOf({ tries: [{ atUs: 1_400_000, failure: 'reset' }] }),
      );
    expect(of({ status: 200, version: 'v0', bytes })).toBeNull();
    expect(of({ status: 200, version: 'v0', bytes: bytes - 1 })?.failure).toBe('reset');
    expect(of({ status: 502, version: null, bytes })?.failure).toBe('reset');
  });

  it('without a line of the proxy’s own log is refused or reset, by its line of the access log', () => {
    expect(causeOf(at(1_400_000), access(1_400_000), [], sourcesOf({}))).toEqual({
      cause: 'refused or reset: the proxy’s own log does not tell which',
      failure: 'refused or reset',
      file: 'witnesses/access.ndjson.gz',
      line: 9,
    });
  });

  it.each([
    // The port is closed from 1.05 to 1.75 s; the stamps of two witnesses may differ by 50 ms.
    [999_999, false],
    [1_000_000, true],
    [1_800_000, true],
    [1_800_001, false],
  ])('is refused only while the port was closed: %i µs', (atUs, isExplained) => {
    expect(gateway(atUs, 'refused') !== null).toBe(isExplained);
  });

  it.each([
    // The old process leaves from 0.99 s (retired) to 1.1 s (gone).
    [939_999, false],
    [940_000, true],
    [1_400_000, true],
    [1_800_001, false],
  ])('is reset also while the old process was leaving: %i µs', (atUs, isExplained) => {
    expect(gateway(atUs, 'reset') !== null).toBe(isExplained);
  });

  it('that took long is explained when any part of its life lies in the outage', () => {
    const tries = [{ atUs: 1_010_000, failure: 'refused' as const }];
    const long = access(400_000, { durationUs: 610_000 });
    expect(causeOf(at(1_010_000), long, [], sourcesOf({ tries }))).not.toBeNull();
    const early = access(400_000, { durationUs: 599_999 });
    expect(causeOf(at(999_999), early, [], sourcesOf({ tries }))).toBeNull();
    const over = access(1_800_001, { durationUs: 100 });
    expect(
      causeOf(at(1_800_101), over, [], sourcesOf({ tries: [{ atUs: 1_800_101, failure: 'refused' }] })),
    ).toBeNull();
  });

  it('of a port that never opened again stays explained', () => {
    const windows = [{ ...window, acceptingUs: null }];
    expect(gateway(60_000_000, 'refused', { sources: { windows } })).not.toBeNull();
  });

  it('is not explained by a window that was not seen', () => {
    const windows = [{ ...window, retireUs: null, acceptStoppedUs: null }];
    expect(gateway(1_400_000, 'refused', { sources: { windows } })).toBeNull();
    expect(gateway(1_050_000, 'reset', { sources: { windows } })).toBeNull();
  });

  it('in a swap is explained until the check has had two intervals to see that the old port is closed', () => {
    const swap = {
      ...window,
      retireUs: 2_000_000,
      acceptingUs: 1_500_000,
      acceptStoppedUs: 2_000_000,
      exitUs: 2_000_000,
    };
    const options = { sources: { windows: [swap], checkIntervalUs: 100_000 } };
    expect(gateway(1_949_999, 'refused', options)).toBeNull();
    expect(gateway(1_950_000, 'refused', options)).not.toBeNull();
    expect(gateway(2_250_000, 'refused', options)).not.toBeNull();
    expect(gateway(2_250_001, 'refused', options)).toBeNull();
  });

  it('in an outage of no length, which is no swap, is explained at that moment only', () => {
    const none = { ...window, retireUs: 2_000_000, acceptingUs: 2_000_000, acceptStoppedUs: 2_000_000 };
    const options = { sources: { windows: [none], checkIntervalUs: 100_000 } };
    expect(gateway(2_050_000, 'refused', options)).not.toBeNull();
    expect(gateway(2_050_001, 'refused', options)).toBeNull();
  });

  it('cites the end nearest to it among several restarts', () => {
    const second = {
      ...window,
      restart: 2,
      retireUs: 5_000_000,
      acceptStoppedUs: 5_000_000,
      acceptingUs: 5_500_000,
      exitUs: 5_000_000,
      acceptStoppedLine: 25,
    };
    const direct = { sources: { hasProxy: false, windows: [window, second] } };
    expect(causeOf(at(5_200_000), null, [], sourcesOf(direct))?.line).toBe(25);
    expect(causeOf(at(1_200_000), null, [], sourcesOf(direct))?.line).toBe(5);
  });

  it('is explained by an end that nobody asked for, too', () => {
    const unplanned = [{ atUs: 2_000_000, untilUs: 2_300_000, what: 'exit', line: 33 }];
    for (const [atUs, isExplained] of [
      [1_949_999, false],
      [1_950_000, true],
      [2_350_000, true],
      [2_350_001, false],
    ] as const) {
      expect(gateway(atUs, 'refused', { sources: { unplanned } }) !== null).toBe(isExplained);
    }
  });
});

describe('the time in which a process leaves', () => {
  const leaving = (over: Partial<typeof window>, atUs: number): boolean =>
    // Far from any closed port: it opened again at once.
    gateway(atUs, 'reset', {
      sources: { windows: [{ ...window, ...over, acceptStoppedUs: 3_000_000, acceptingUs: 3_000_000 }] },
    }) !== null;

  it('begins when the deploy retires it, and ends when it is gone', () => {
    expect(leaving({ retireUs: 2_000_000, exitUs: 2_500_000 }, 1_950_000)).toBe(true);
    expect(leaving({ retireUs: 2_000_000, exitUs: 2_500_000 }, 1_949_999)).toBe(false);
    expect(leaving({ retireUs: 2_000_000, exitUs: 2_500_000 }, 2_550_000)).toBe(true);
    expect(leaving({ retireUs: 2_000_000, exitUs: 2_500_000 }, 2_550_001)).toBe(false);
  });

  it('begins with the closed port where no retiring was seen, and ends with it where no end was', () => {
    expect(leaving({ retireUs: null, exitUs: 3_500_000 }, 2_949_999)).toBe(false);
    expect(leaving({ retireUs: null, exitUs: 3_500_000 }, 3_550_000)).toBe(true);
    expect(leaving({ retireUs: 2_000_000, exitUs: null }, 2_900_000)).toBe(true);
    expect(leaving({ retireUs: 2_000_000, exitUs: null }, 3_050_001)).toBe(false);
  });

  it('is known of its retiring alone, where the port’s end was not seen', () => {
    const windows = [{ ...window, retireUs: 2_000_000, acceptStoppedUs: null, exitUs: null }];
    expect(gateway(2_050_000, 'reset', { sources: { windows } })).not.toBeNull();
    expect(gateway(2_050_001, 'reset', { sources: { windows } })).toBeNull();
  });
});

describe('an answer for which the proxy asked no backend', () => {
  const unasked = (status: number, atUs: number, options: Options = {}): Cause | null =>
    causeOf(at(atUs), access(atUs, { hasBackend: false, status, durationUs: 1_000 }), [], sourcesOf(options));

  it('of 404 had no route', () => {
    expect(unasked(404, 20_000)).toEqual({
      cause: 'the proxy had no route',
      file: 'witnesses/access.ndjson.gz',
      line: 9,
    });
  });

  it('of 503 is explained by the check’s line, as long as that held, give or take 50 ms', () => {
    const down = [1_000_000, 2_000_000] as const;
    expect(unasked(503, 1_500_000, { down })).toEqual({
      cause: 'the proxy’s check held no backend to be up',
      file: 'witnesses/traefik.log.gz',
      line: 60,
    });
    expect(unasked(503, 948_999, { down })).toBeNull();
    expect(unasked(503, 949_000, { down })).not.toBeNull();
    expect(unasked(503, 2_050_000, { down })).not.toBeNull();
    expect(unasked(503, 2_050_001, { down })).toBeNull();
    expect(unasked(503, 1_500_000)).toBeNull();
  });

  it('of 503 is explained by the line at which a backend went down, although another is up', () => {
    const checks = new CheckStates();
    const said = (line: number, server: string, up: boolean, atUs: number): void =>
      checks.addLogLine({ line, atWallUs: originWallUs + atUs, kind: 'check', service: server, server, up });
    said(70, 'http://green', false, 100_000);
    said(71, 'http://green', true, 500_000);
    said(72, 'http://blue', false, 1_000_000);
    // A request of one millisecond; one tick is ten.
    expect(unasked(503, 999_500, { sources: { checks } })).toEqual({
      cause: 'the proxy had chosen a backend that its check was just finding down',
      file: 'witnesses/traefik.log.gz',
      line: 72,
    });
    expect(unasked(503, 988_999, { sources: { checks } })).toBeNull();
    expect(unasked(503, 989_000, { sources: { checks } })).not.toBeNull();
    expect(unasked(503, 1_010_001, { sources: { checks } })).toBeNull();
  });

  it('of any other status is explained by nothing, even within a restart', () => {
    expect(unasked(502, 1_400_000, { down: [1_000_000, 2_000_000] })).toBeNull();
    expect(unasked(500, 1_400_000, { down: [1_000_000, 2_000_000] })).toBeNull();
  });
});

describe('what the site itself says', () => {
  const own = (row: Partial<LedgerRow>, ...lines: Site[]): Cause | null =>
    causeOf(at(20_000, { outcome: 'status-503', status: 503, version: 'v0', ...row }), null, lines, sourcesOf({}));

  it.each([
    ['', 'the site itself answered 503'],
    ['OK', 'the site itself answered 503'],
    ['SQLITE_BUSY', 'the site itself answered 503 (SQLITE_BUSY)'],
  ])('is its answer, with SQLite’s word %j', (code, cause) => {
    expect(own({}, site({ code }))).toEqual({ cause, file: 'witnesses/site-requests.ndjson.gz', line: 3 });
  });

  it('is another body than was asked for', () => {
    expect(own({ outcome: 'wrong', status: 200 }, site({ status: 200, line: 8 }))).toEqual({
      cause: 'the site answered with another body than was asked for',
      file: 'witnesses/site-requests.ndjson.gz',
      line: 8,
    });
  });

  it('counts only where the client’s answer names the site, and has the status that the site gave', () => {
    expect(own({ version: null }, site())).toBeNull();
    expect(own({}, site({ status: 200 }))).toBeNull();
    expect(own({ status: null }, site({ status: null }))).toBeNull();
    expect(own({}, site({ status: 200 }), site({ line: 4 }))?.line).toBe(4);
  });

  it('is never an answer that was cut', () => {
    expect(own({}, site({ isCut: true }))?.cause).toBe('the site broke off its answer');
  });
});

describe('a request that the site did not finish', () => {
  const cut = (atUs: number, over: Partial<Site>, options: Options = {}): Cause | null =>
    causeOf(
      at(atUs, { outcome: 'truncated', status: null }),
      null,
      [site({ isCut: true, ...over })],
      sourcesOf(options),
    );
  const ended = {
    cause: 'the site’s process ended with the request under way',
    file: 'witnesses/site-requests.ndjson.gz',
    line: 3,
  };

  it('was under way when its process ended', () => {
    expect(cut(1_400_000, { status: null })).toEqual(ended);
    // Leaving, with its port still open.
    expect(
      cut(1_000_000, { status: null }, { sources: { windows: [{ ...window, acceptStoppedUs: 1_090_000 }] } }),
    ).toEqual(ended);
  });

  it('was broken off by the site, where the answer had begun outside of every restart', () => {
    expect(cut(20_000, { status: 200 })?.cause).toBe('the site broke off its answer');
  });

  it('is explained by nobody where nothing had been answered', () => {
    expect(cut(20_000, { status: null })).toBeNull();
  });

  it('counts its life from its sending, or from its due time where it never was sent', () => {
    const lines = [site({ isCut: true, status: null })];
    const long = { outcome: 'truncated', status: null, dueUs: 20_000, doneUs: 3_000_000 } as const;
    expect(causeOf(at(20_000, { ...long, sentUs: 1_900_000 }), null, lines, sourcesOf({}))).toBeNull();
    expect(causeOf(at(20_000, { ...long, sentUs: null }), null, lines, sourcesOf({}))).toEqual(ended);
    expect(causeOf(at(20_000, { ...long, sentUs: 1_700_000 }), null, lines, sourcesOf({}))).toEqual(ended);
  });
});

describe('a request of which the proxy knows nothing', () => {
  const lost = (atUs: number, engine: CauseSources['engine'], lastUs = 0): Cause | null =>
    causeOf(at(atUs), null, [], sourcesOf({ sources: { engine, proxyLastWallUs: originWallUs + lastUs } }));
  const event = (role: string, action: string, atUs: number) => ({
    atWallUs: originWallUs + atUs,
    role,
    action,
    detail: '',
  });

  it('is explained by the end of the proxy’s container, from a second before the engine tells of it', () => {
    const engine = [event('server', 'die', 10), event('edge', 'kill', 20), event('edge', 'die', 1_500_000)];
    expect(lost(1_600_000, engine)).toEqual({
      cause: 'the proxy’s container had ended',
      file: 'witnesses/engine.ndjson',
      line: 3,
    });
    expect(lost(500_000, engine)).not.toBeNull();
    expect(lost(499_999, engine)).toBeNull();
  });

  it('is not explained by an end before which the proxy still answered somebody else', () => {
    const engine = [event('edge', 'die', 1_500_000)];
    expect(lost(1_000_000, engine, 1_050_000)).not.toBeNull();
    expect(lost(1_000_000, engine, 1_050_001)).toBeNull();
  });

  it('is explained by nothing else, not even by a restart', () => {
    expect(lost(1_400_000, [])).toBeNull();
    expect(lost(1_400_000, [event('client', 'die', 0), event('edge', 'start', 0)])).toBeNull();
  });
});

describe('without a proxy', () => {
  const direct = (row: LedgerRow): Cause | null => causeOf(row, null, [], sourcesOf({ sources: { hasProxy: false } }));

  it('a drop is explained by the event that closed the port, or made the process leave', () => {
    const expected = {
      cause: 'the site’s port was closed, or its process was leaving',
      file: 'timeline.ndjson',
      line: 5,
    };
    expect(direct(at(1_400_000))).toEqual(expected);
    expect(direct(at(945_000))).toEqual(expected);
  });

  it('is explained by nothing outside of every restart', () => {
    expect(direct(at(939_999))).toBeNull();
    expect(direct(at(1_800_001))).toBeNull();
  });

  it('counts its life from its sending, or from its due time', () => {
    const long = { dueUs: 1_500_000, doneUs: 3_000_000 };
    expect(direct(badRow(0, { ...long, sentUs: 2_000_000 }))).toBeNull();
    expect(direct(badRow(0, { ...long, sentUs: null }))).not.toBeNull();
  });
});
