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
    const told = check({}).map(({ what, expected, measured: value, because: why, met: isMet }) => {
      expect(isMet).toBe(true);
      return `${what}: ${expected}, is ${value}: ${why}`;
    });
    const byDefault = (figure: string): string => `(by default; a bound of ${figure} sets it)`;
    expect(told).toEqual([
      'answers that came more than 500 ms late, outside of every restart: none, is 0: where nothing restarts, nothing ' +
        `waits ${byDefault('stallsOutside')}`,
      'time that the site takes for an answer, at the median: at most 50 ms, is 1 ms: a site that is slow all the time ' +
        `hides what a restart costs ${byDefault('medianInSiteMs')}`,
      `stale answers: at most 0, is 0: a version that is out of rotation must not answer ${byDefault('stale')}`,
      `writes lost: at most 0, is 0: what was acknowledged must be in the database ${byDefault('lost')}`,
      'writes acknowledged before they were written: at most 0, is 0: a write must be in the database before it is ' +
        `acknowledged ${byDefault('early')}`,
      `writes stored with another text: at most 0, is 0: what is stored must be what was sent ${byDefault('altered')}`,
      `writes applied twice: at most 0, is 0: no write may be applied twice ${byDefault('duplicated')}`,
      `writes refused, yet applied: at most 0, is 0: what was refused must not be in the database ${byDefault('misattributed')}`,
    ]);
  });

  it('is that the site serves, ends at SIGTERM and not otherwise, and that each new version gets ready', () => {
    const over = {
      outcomes: { 'status-502': 300 },
      unplanned: ['exit (app) at 2.900 s'],
      killed: [1, 3],
      givenUp: [2],
    };
    const missed = check({}, over).filter(({ met: isMet }) => !isMet);
    expect(missed.map(({ what, measured: value, inShort }) => `${what}: ${value}: ${inShort ?? ''}`)).toEqual([
      'requests that were answered as expected: 0: no request was answered as expected',
      'ends of the site’s process that no deploy asked for: exit (app) at 2.900 s: the site’s process ended by itself',
      'restarts in which systemd had to kill the old process: 2 (1, 3): the site did not end at SIGTERM',
      'deploys that were given up: 1 (2): a new version was never ready',
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

  const metAt = (counts: number[], of: Measured['predicted'], withinPercent = 10): unknown[] =>
    counts.map((count) => met({ dropped: { ...dropped, withinPercent } }, { predicted: of, dropped: count }));

  it('are within the prediction’s range, give or take its share, on both sides', () => {
    const within = [false, true, true, false];
    expect(metAt([89, 90, 110, 111], predicted)).toEqual(within);
    // Both ends included: half and one and a half of 100 are exact.
    expect(metAt([49, 50, 150, 151], predicted, 50)).toEqual(within);
    expect(metAt([89, 90, 220, 221], { dropped: 150, range: [100, 200] })).toEqual(within);
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

  it('may be longer by what a service of the user’s own takes for an answer when nothing restarts', () => {
    const slow = { isOwnService: true, longestApartMs: 300 };
    expect(only({ longestWait }, { ...slow, longestWaitMs: 1_140 })).toMatchObject({
      expected: 'at most 1140 ms (longest outage window + 20 %, and the 300 ms that an answer takes otherwise)',
      met: true,
    });
    expect(met({ longestWait }, { ...slow, longestWaitMs: 1_140.001 })).toBe(false);
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
    const row = { what: 'share of all restarts that are clean', expected: 'at least 99 %, with 95 %', because };
    expect(only({ claim }, { badRestarts: 8 })).toEqual({ ...row, measured: '0 of 8', met: false });
    expect(only({ claim }, { restarts: 299 })).toEqual({ ...row, measured: '299 of 299', met: true });
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

  const byDefault = ['stale', 'lost', 'early', 'altered', 'duplicated', 'misattributed', 'stallsOutside'] as const;
  it.each([...byDefault, 'medianInSiteMs', 'unplannedEnds', 'killedStops'] as const)(
    'of %s that the file has takes the place of what is expected by default, which names it',
    (figure) => {
      // Of time that the site takes 50 ms are allowed; of all others nothing is.
      const least = figure === 'medianInSiteMs' ? 51 : 1;
      const missed = check({}, having[figure](least)).filter(({ met: isMet }) => !isMet);
      expect(missed).toEqual([
        expect.objectContaining({
          because: expect.stringContaining(`(by default; a bound of ${figure} sets it)`) as string,
        }),
      ]);
      const rows = check({ bounds: [{ of: figure, max: 900, because }] }, having[figure](900));
      expect(rows.filter(({ met: isMet }) => !isMet)).toEqual([]);
      expect(rows.filter(({ because: why }) => why.includes(`a bound of ${figure} `))).toEqual([]);
      expect(rows.filter(({ because: why }) => why === because)).toHaveLength(1);
    },
  );

  it('has words of its own', () => {
    const words = boundedFigures.map((figure) => of(figure, {})?.what);
    expect(new Set(words).size).toBe(boundedFigures.length);
    expect(words).toContain('longest wait before SQLITE_BUSY, ms');
  });

  it.each(['unplannedEnds', 'killedStops', 'givenUp'] as const)('of %s counts', (figure) => {
    expect([1, 2, 4, 5].map((value) => of(figure, having[figure](value))?.met)).toEqual([false, true, true, false]);
  });

  const measures = boundedFigures.filter((figure) => !['unplannedEnds', 'killedStops', 'givenUp'].includes(figure));

  it.each(measures)('of %s holds from its least to its greatest value', (figure) => {
    const isMet = [1.999, 2, 4, 4.001].map((value) => of(figure, having[figure](value))?.met);
    expect(isMet).toEqual([false, true, true, false]);
    expect(of(figure, having[figure](3.00049))).toMatchObject({ expected: '2 to 4', measured: '3', because });
  });

  it.each(['dropped-GET', 'dropped-POST', 'status-502', 'status-503', 'status-404', 'refused-directly'] as const)(
    'of %s takes what never happened for none',
    (figure) => {
      const none = { byMethod: {}, outcomes: {}, direct: { ...direct, outcomes: {} } };
      expect(of(figure, none)).toMatchObject({ measured: '0', met: false });
    },
  );

  const ofWrites = ['lost', 'duplicated', 'misattributed', 'busy', 'busyShortestWaitMs', 'busyLongestWaitMs'] as const;
  it.each(ofWrites)('of %s is missed where no database was read', (figure) => {
    expect(of(figure, { writes: null })).toMatchObject({ measured: 'not measured', met: false });
    expect(met({ bounds: [{ of: figure, max: 4, because }] }, { writes: null })).toBe(false);
  });

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
  expect(rows.slice(0, 5).map(({ what }) => what)).toEqual([
    'dropped requests',
    'restarts that dropped something',
    'longest wait',
    '404 (no route)',
    'answers that came more than 500 ms late, outside of every restart',
  ]);
});
