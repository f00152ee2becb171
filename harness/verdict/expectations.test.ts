import { describe, expect, it } from 'vitest';
import { boundedFigures, type Experiment } from '../experiment/experiment.ts';
import { checkExpectations, type Measured } from './expectations.ts';
import { busy, direct, evidence, writes } from './testing.ts';
import type { Verdict } from './record/verdict.ts';

type Expect = Experiment['expect'];
type Row = Verdict['expectations'][number];

const because = 'as the mechanism has it';

/** A run in which nothing went wrong. */
const measured: Measured = {
  due: 300,
  proven: { dropped: 0, badRestarts: 0 },
  gapMs: 0,
  heldUnsent: 0,
  unplanned: [],
  killed: [],
  givenUp: [],
  sitesHurt: 0,
  sitesRestarted: 1,
  isNotBack: false,
  dropped: 0,
  restarts: 8,
  badRestarts: 0,
  longestWaitMs: 700,
  longestOutageMs: 700,
  outcomes: { ok: 300 },
  byMethod: {},
  stale: 0,
  cut: 0,
  writes,
  direct,
  stalls: evidence.waits.stalls,
  predicted: { dropped: 0, range: [0, 0] },
  ratePerSecond: 100,
  isOwnService: false,
};
const stalls = (over: Partial<Measured['stalls']>) => ({ stalls: { ...measured.stalls, ...over } });

const check = (expected: Partial<Expect>, over: Partial<Measured> = {}): Row[] =>
  checkExpectations({ bounds: [], ...expected }, { ...measured, ...over });
const only = (expected: Partial<Expect>, over: Partial<Measured> = {}): Row | undefined => check(expected, over)[0];
const met = (expected: Partial<Expect>, over: Partial<Measured> = {}): boolean | undefined => only(expected, over)?.met;

describe('what every experiment expects without saying so', () => {
  it('is that nothing waits where nothing restarts, nothing is stale, and the writes are honest', () => {
    expect(check({}).map(({ because: why }) => why)).toEqual([
      'where nothing restarts, nothing waits (by default; a bound of stallsOutside sets it)',
      'a site that is slow all the time hides what a restart costs (by default; a bound of medianInSiteMs sets it)',
      'a version that is out of rotation must not answer (by default; a bound of stale sets it)',
      'what was acknowledged must be in the database (by default; a bound of lost sets it)',
      'a write must be in the database before it is acknowledged (by default; a bound of early sets it)',
      'what is stored must be what was sent (by default; a bound of altered sets it)',
      'no write may be applied twice (by default; a bound of duplicated sets it)',
      'what was refused must not be in the database (by default; a bound of misattributed sets it)',
    ]);
    expect(check({}).map(({ what, expected, measured: value, met: isMet }) => [what, expected, value, isMet])).toEqual([
      ['answers that came more than 500 ms late, outside of every restart', 'none', '0', true],
      ['time that the site takes for an answer, at the median', 'at most 50 ms', '1 ms', true],
      ['stale answers', 'at most 0', '0', true],
      ['writes lost', 'at most 0', '0', true],
      ['writes acknowledged before they were written', 'at most 0', '0', true],
      ['writes stored with another text', 'at most 0', '0', true],
      ['writes applied twice', 'at most 0', '0', true],
      ['writes refused, yet applied', 'at most 0', '0', true],
    ]);
  });

  const missed = (over: Partial<Measured>): string[] =>
    check({}, over)
      .filter(({ met: isMet }) => !isMet)
      .map(({ what, measured: value }) => `${what}: ${value}`);

  it.each<[Partial<Measured>, string]>([
    [stalls({ outsideRestarts: 1 }), 'answers that came more than 500 ms late, outside of every restart: 1'],
    [{ stale: 1 }, 'stale answers: 1'],
    [{ writes: { ...writes, lost: 1 } }, 'writes lost: 1'],
    [{ writes: { ...writes, early: 1 } }, 'writes acknowledged before they were written: 1'],
    [{ writes: { ...writes, altered: 1 } }, 'writes stored with another text: 1'],
    [{ writes: { ...writes, duplicated: 1 } }, 'writes applied twice: 1'],
    [{ writes: { ...writes, misattributed: 1 } }, 'writes refused, yet applied: 1'],
    [stalls({ medianInSiteMs: 51 }), 'time that the site takes for an answer, at the median: 51 ms'],
  ])('is missed by a single one: %j', (over, sentence) => {
    expect(missed(over)).toEqual([sentence]);
  });

  it('is that the site serves, ends at SIGTERM and not otherwise, and that each new version gets ready', () => {
    const rows = check(
      {},
      { outcomes: { 'status-502': 300 }, unplanned: ['exit (app) at 2.900 s'], killed: [1, 3], givenUp: [2] },
    );
    expect(
      rows.filter(({ met: isMet }) => !isMet).map(({ what, measured: value, inShort }) => [what, value, inShort]),
    ).toEqual([
      ['requests that were answered as expected', '0', 'no request was answered as expected'],
      [
        'ends of the site’s process that no deploy asked for',
        'exit (app) at 2.900 s',
        'the site’s process ended by itself',
      ],
      ['restarts in which systemd had to kill the old process', '2 (1, 3)', 'the site did not end at SIGTERM'],
      ['deploys that were given up', '1 (2)', 'a new version was never ready'],
    ]);
  });

  it('gives way to what the experiment says of the same figure, and of that one alone', () => {
    const bounds: Expect['bounds'] = [{ of: 'lost', min: 1, because }];
    const rows = check({ bounds }, { writes: { ...writes, lost: 3, duplicated: 1 } });
    expect(rows.filter(({ what }) => what === 'writes lost')).toEqual([
      { what: 'writes lost', expected: 'at least 1', measured: '3', met: true, because },
    ]);
    expect(rows.filter(({ met: isMet }) => !isMet).map(({ what }) => what)).toEqual(['writes applied twice']);
    expect(check({ bounds: [{ of: 'stale', max: 5, because }] }, { stale: 4 }).every(({ met: isMet }) => isMet)).toBe(
      true,
    );
  });

  it('is not promised of a service that the user runs, where nobody read a database', () => {
    expect(check({}, { writes: null, ...stalls({ outsideRestarts: 3 }), stale: 2 })).toEqual([]);
  });
});

describe('the expected drops', () => {
  it('are at most so many', () => {
    const dropped = { max: 2, because };
    expect(only({ dropped }, { dropped: 2 })).toEqual({
      what: 'dropped requests',
      expected: 'at most 2',
      measured: '2',
      met: true,
      because,
    });
    expect(met({ dropped }, { dropped: 3 })).toBe(false);
  });

  const dropped = { predicted: true, withinPercent: 10, because } as const;
  const predicted = { dropped: 100, range: [100, 100] as const };

  it('are within the prediction’s range, give or take its share, on both sides', () => {
    for (const [count, isMet] of [
      [89, false],
      [90, true],
      [110, true],
      [111, false],
    ] as const) {
      expect(met({ dropped }, { predicted, dropped: count })).toBe(isMet);
    }
    // Both ends included: half and one and a half of 100 are exact.
    const half = { ...dropped, withinPercent: 50 };
    expect([49, 50, 150, 151].map((count) => met({ dropped: half }, { predicted, dropped: count }))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    const wide = { dropped: 150, range: [100, 200] as const };
    for (const [count, isMet] of [
      [89, false],
      [90, true],
      [220, true],
      [221, false],
    ] as const) {
      expect(met({ dropped }, { predicted: wide, dropped: count })).toBe(isMet);
    }
  });

  it('show how they were predicted', () => {
    expect(only({ dropped }, { predicted, dropped: 95 })?.expected).toBe('90 to 110 (predicted 100; ± 10 %)');
    const wide = { dropped: 100, range: [100, 101] as const };
    expect(only({ dropped }, { predicted: wide })?.expected).toBe(
      '90 to 111 (predicted 100 to 101, by the phase of the check; ± 10 %)',
    );
  });

  it('are missed where there is no prediction, whatever was counted', () => {
    for (const none of [
      { dropped: null, range: null },
      { dropped: 5, range: null },
      { dropped: null, range: [5, 5] as const },
    ]) {
      expect(only({ dropped }, { predicted: none, dropped: 5 })).toMatchObject({
        expected: 'within 10 % of a prediction, but there is none',
        met: false,
      });
    }
  });
});

describe('the expected bad restarts', () => {
  it('are every one, which no restart at all does not fulfil', () => {
    const badRestarts = { all: true, because } as const;
    expect(only({ badRestarts }, { badRestarts: 8 })).toEqual({
      what: 'restarts that dropped something',
      expected: 'every one',
      measured: '8 of 8',
      met: true,
      because,
    });
    expect(met({ badRestarts }, { badRestarts: 7 })).toBe(false);
    expect(met({ badRestarts }, { badRestarts: 0, restarts: 0 })).toBe(false);
  });

  it('are within bounds', () => {
    const at = (badRestarts: number): readonly (boolean | undefined)[] =>
      [{ max: 2 }, { min: 2 }, { min: 1, max: 2 }].map((bound) =>
        met({ badRestarts: { ...bound, because } }, { badRestarts }),
      );
    expect([0, 1, 2, 3].map(at)).toEqual([
      [true, false, false],
      [true, false, true],
      [true, true, true],
      [false, true, false],
    ]);
    expect(only({ badRestarts: { min: 1, max: 2, because } })?.expected).toBe('1 to 2');
    expect(only({ badRestarts: { max: 3, because } })?.expected).toBe('at most 3');
    expect(only({ badRestarts: { min: 1, because } })?.expected).toBe('at least 1');
  });
});

describe('the longest wait', () => {
  const longestWait = { abovePercentOfOutage: 20, because };

  it('of so many ms holds up to them, whatever the outage', () => {
    const of = (longestWaitMs: number | null): Row | undefined =>
      only({ longestWait: { maxMs: 100, because } }, { longestWaitMs, longestOutageMs: null });
    expect(of(100)).toMatchObject({ expected: 'at most 100 ms', measured: '100 ms', met: true });
    expect([of(100.001)?.met, of(null)?.met]).toEqual([false, false]);
  });

  it('is at most the longest outage window and its share', () => {
    expect(only({ longestWait }, { longestWaitMs: 840 })).toEqual({
      what: 'longest wait',
      expected: 'at most 840 ms (longest outage window + 20 %)',
      measured: '840 ms',
      met: true,
      because,
    });
    expect(met({ longestWait }, { longestWaitMs: 840.001 })).toBe(false);
  });

  it('is missed where no outage was seen, or nothing was answered', () => {
    expect(only({ longestWait }, { longestOutageMs: null })).toMatchObject({
      expected: 'at most the longest outage window, which was not seen',
      met: false,
    });
    expect(met({ longestWait }, { longestOutageMs: null, longestWaitMs: 0 })).toBe(false);
    expect(only({ longestWait }, { longestWaitMs: null })).toMatchObject({ measured: 'no ok answer', met: false });
  });

  it('is held against a rate only up to the one that is named', () => {
    const slow = { longestWaitMs: 9_000 };
    const upTo = (upToRatePerSecond: number): Row[] =>
      check({ longestWait: { ...longestWait, upToRatePerSecond } }, slow).filter(({ what }) => what === 'longest wait');
    expect(upTo(100).map(({ met: isMet }) => isMet)).toEqual([false]);
    expect(upTo(99.9)).toEqual([]);
  });
});

describe('a claim about all restarts', () => {
  const claim = { cleanPercent: 99, because };

  it('is missed only where the restarts refute it', () => {
    expect(only({ claim }, { badRestarts: 8 })).toEqual({
      what: 'share of all restarts that are clean',
      expected: 'at least 99 %, with 95 %',
      measured: '0 of 8',
      met: false,
      because,
    });
    expect(only({ claim }, { restarts: 299 })).toEqual({
      what: 'share of all restarts that are clean',
      expected: 'at least 99 %, with 95 %',
      measured: '299 of 299',
      met: true,
      because,
    });
    // Which is the run’s own doubt, and no failure.
    const tooFew = { measured: '8 of 8: too few to tell', met: true, known: false };
    expect(only({ claim }, { restarts: 8 })).toMatchObject(tooFew);
  });
});

describe('a bound', () => {
  const of = (figure: (typeof boundedFigures)[number], over: Partial<Measured>): Row | undefined =>
    only({ bounds: [{ of: figure, min: 2, max: 4, because }] }, over);

  /** Makes each figure this value, and nothing else. */
  const having: Record<(typeof boundedFigures)[number], (value: number) => Partial<Measured>> = {
    'dropped-GET': (dropped) => ({ byMethod: { GET: { due: 9, sent: 9, dropped, outcomes: {} } } }),
    'dropped-POST': (dropped) => ({ byMethod: { POST: { due: 9, sent: 9, dropped, outcomes: {} } } }),
    lost: (lost) => ({ writes: { ...writes, lost } }),
    early: (early) => ({ writes: { ...writes, early } }),
    altered: (altered) => ({ writes: { ...writes, altered } }),
    duplicated: (duplicated) => ({ writes: { ...writes, duplicated } }),
    misattributed: (misattributed) => ({ writes: { ...writes, misattributed } }),
    busy: (refused) => ({ writes: { ...writes, busy: { ...busy, refused } } }),
    busyShortestWaitMs: (shortestRefusalMs) => ({ writes: { ...writes, busy: { ...busy, shortestRefusalMs } } }),
    busyLongestWaitMs: (longestRefusalMs) => ({ writes: { ...writes, busy: { ...busy, longestRefusalMs } } }),
    longestWaitMs: (longestWaitMs) => ({ longestWaitMs }),
    stale: (stale) => ({ stale }),
    'refused-directly': (refused) => ({ direct: { ...direct, outcomes: { refused } } }),
    directLongestWaitMs: (longestWaitMs) => ({ direct: { ...direct, longestWaitMs } }),
    'status-502': (value) => ({ outcomes: { ok: 9, 'status-502': value } }),
    'status-503': (value) => ({ outcomes: { ok: 9, 'status-503': value } }),
    'status-404': (value) => ({ outcomes: { ok: 9, 'status-404': value } }),
    stallsOutside: (outsideRestarts) => stalls({ outsideRestarts }),
    medianInSiteMs: (medianInSiteMs) => stalls({ medianInSiteMs }),
    unplannedEnds: (value) => ({ unplanned: Array.from({ length: value }, () => 'ended') }),
    killedStops: (value) => ({ killed: Array.from({ length: value }, (_, index) => index) }),
    longestOutageMs: (longestOutageMs) => ({ longestOutageMs }),
    givenUp: (value) => ({ givenUp: Array.from({ length: value }, (_, index) => index) }),
    sitesHurt: (sitesHurt) => ({ sitesHurt }),
    sitesRestarted: (sitesRestarted) => ({ sitesRestarted }),
  };

  it.each([
    'stale',
    'lost',
    'early',
    'altered',
    'duplicated',
    'misattributed',
    'stallsOutside',
    'medianInSiteMs',
    'unplannedEnds',
    'killedStops',
  ] as const)('of %s that the file has takes the place of what is expected by default, which names it', (figure) => {
    const missed = check({}, having[figure](900)).filter(({ met: isMet }) => !isMet);
    expect(missed).toHaveLength(1);
    expect(missed[0]?.because).toContain(`(by default; a bound of ${figure} sets it)`);
    const allowed = { bounds: [{ of: figure, max: 900, because }] };
    const rows = check(allowed, having[figure](900));
    expect(rows.filter(({ met: isMet }) => !isMet)).toEqual([]);
    expect(rows.filter(({ because: why }) => why.includes(`a bound of ${figure} `))).toEqual([]);
    expect(rows.filter(({ because: why }) => why === because)).toHaveLength(1);
  });

  it('is named in words', () => {
    const bounds = boundedFigures.map((figure) => ({ of: figure, max: 4, because }));
    expect(
      check({ bounds })
        .filter(({ because: why }) => why === because)
        .map(({ what }) => what),
    ).toEqual([
      'dropped GETs',
      'dropped POSTs',
      'writes lost',
      'writes acknowledged before they were written',
      'writes stored with another text',
      'writes applied twice',
      'writes refused, yet applied',
      'writes that SQLite refused (SQLITE_BUSY)',
      'longest wait before SQLITE_BUSY, ms',
      'shortest wait before SQLITE_BUSY, ms',
      'longest wait, ms',
      'longest time in which no process accepted, ms',
      'stale answers',
      'refused by the site’s own port',
      'longest wait at the site’s own port, ms',
      '502 (Bad Gateway)',
      '503 (Service Unavailable)',
      '404 (no route)',
      'answers that came more than 500 ms late, outside of every restart',
      'time that the site takes for an answer, at the median, ms',
      'ends of the site’s process that no deploy asked for',
      'restarts in which systemd had to kill the old process',
      'deploys that were given up',
      'sites of which requests were dropped',
      'sites that were restarted',
    ]);
  });

  it.each(['unplannedEnds', 'killedStops', 'givenUp'] as const)('of %s counts', (figure) => {
    expect([1, 2, 4, 5].map((value) => of(figure, having[figure](value))?.met)).toEqual([false, true, true, false]);
  });

  const measures = boundedFigures.filter((figure) => !['unplannedEnds', 'killedStops', 'givenUp'].includes(figure));

  it.each(measures)('of %s holds from its least to its greatest value', (figure) => {
    expect([1.999, 2, 4, 4.001].map((value) => of(figure, having[figure](value))?.met)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(of(figure, having[figure](3.00049))).toMatchObject({ expected: '2 to 4', measured: '3', because });
  });

  it.each(['dropped-GET', 'dropped-POST', 'status-502', 'status-503', 'status-404', 'refused-directly'] as const)(
    'of %s takes what never happened for none',
    (figure) => {
      const none = { byMethod: {}, outcomes: {}, direct: { ...direct, outcomes: {} } };
      expect(of(figure, none)).toMatchObject({ measured: '0', met: false });
    },
  );

  it.each(['lost', 'duplicated', 'misattributed', 'busy', 'busyShortestWaitMs', 'busyLongestWaitMs'] as const)(
    'of %s is missed where no database was read',
    (figure) => {
      expect(of(figure, { writes: null })).toMatchObject({ measured: 'not measured', met: false });
      const max = [{ of: figure, max: 4, because }];
      expect(only({ bounds: max }, { writes: null })?.met).toBe(false);
    },
  );

  it('of a wait is missed where nothing was answered, or nothing refused', () => {
    expect(of('longestWaitMs', { longestWaitMs: null })?.met).toBe(false);
    expect(of('busyLongestWaitMs', {})?.met).toBe(false);
    expect(of('directLongestWaitMs', { direct: { ...direct, longestWaitMs: null } })?.met).toBe(false);
  });

  it('of the direct probe asks nothing where there was none; any other goes on asking', () => {
    const bounds: Expect['bounds'] = [
      { of: 'refused-directly', min: 1, because },
      { of: 'directLongestWaitMs', max: 1, because },
      { of: 'status-502', min: 1, because },
    ];
    expect(check({ bounds }, { direct: null }).slice(0, 1)).toMatchObject([{ what: '502 (Bad Gateway)', met: false }]);
    expect(check({ bounds }).filter(({ because: why }) => why === because)).toHaveLength(3);
  });

  it('has a value to a thousandth', () => {
    expect(of('longestWaitMs', { longestWaitMs: 2.1239 })?.measured).toBe('2.124');
  });
});

it('expectations stand in the order of the file: drops, bad restarts, wait, bounds, and what goes without saying', () => {
  const rows = check({
    dropped: { max: 0, because },
    badRestarts: { max: 0, because },
    longestWait: { abovePercentOfOutage: 20, because },
    bounds: [{ of: 'status-404', max: 0, because }],
  });
  expect(rows.map(({ what }) => what)).toEqual([
    'dropped requests',
    'restarts that dropped something',
    'longest wait',
    '404 (no route)',
    'answers that came more than 500 ms late, outside of every restart',
    'time that the site takes for an answer, at the median',
    'stale answers',
    'writes lost',
    'writes acknowledged before they were written',
    'writes stored with another text',
    'writes applied twice',
    'writes refused, yet applied',
  ]);
});
