import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { LedgerSummarizer, quantile, type LedgerSummary, type Span } from './ledger-summary.ts';
import type { RestartWindow } from './restart-windows.ts';
import { badRow, row, window } from './testing.ts';

const span: Span = { fromUs: 990_000, toUs: 1_760_000 };

function summary(
  rows: readonly LedgerRow[],
  {
    slots = 300,
    windows = [window],
    spans = [span],
  }: { slots?: number; windows?: readonly RestartWindow[]; spans?: readonly Span[] } = {},
): LedgerSummary {
  const summarizer = new LedgerSummarizer({ slots, ratePerSecond: 100, windows, spans });
  for (const one of rows) summarizer.add(one);
  return summarizer.result();
}

const first = (rows: readonly LedgerRow[], over: Partial<RestartWindow> = {}) =>
  summary(rows, { windows: [{ ...window, ...over }] }).perRestart[0];

describe('the counts of a ledger', () => {
  const rows = [
    row(0),
    row(1, { method: 'POST', connection: 'new' }),
    badRow(2, { method: 'POST' }),
    badRow(3, { outcome: 'refused', sentUs: null }),
    row(4, { outcome: 'unsent', sentUs: null }),
    row(5, { outcome: 'local' }),
  ];

  it('are given in all, by method, by connection and by both', () => {
    const { all, byMethod, byConnection, byKind } = summary(rows);
    expect(all).toEqual({
      due: 6,
      sent: 4,
      dropped: 2,
      outcomes: { ok: 2, 'status-502': 1, refused: 1, unsent: 1, local: 1 },
    });
    expect(byMethod).toEqual({
      GET: { due: 4, sent: 2, dropped: 1, outcomes: { ok: 1, refused: 1, unsent: 1, local: 1 } },
      POST: { due: 2, sent: 2, dropped: 1, outcomes: { ok: 1, 'status-502': 1 } },
    });
    expect(byConnection).toEqual({
      kept: { due: 5, sent: 3, dropped: 2, outcomes: { ok: 1, 'status-502': 1, refused: 1, unsent: 1, local: 1 } },
      new: { due: 1, sent: 1, dropped: 0, outcomes: { ok: 1 } },
    });
    expect(byKind).toEqual({
      'GET kept': { due: 4, sent: 2, dropped: 1, outcomes: { ok: 1, refused: 1, unsent: 1, local: 1 } },
      'POST new': { due: 1, sent: 1, dropped: 0, outcomes: { ok: 1 } },
      'POST kept': { due: 1, sent: 1, dropped: 1, outcomes: { 'status-502': 1 } },
    });
  });

  it('are nothing of an empty ledger, and nothing else is known of it', () => {
    expect(summary([], { slots: 3 })).toEqual({
      all: { due: 0, sent: 0, dropped: 0, outcomes: {} },
      byMethod: {},
      byConnection: {},
      byKind: {},
      atRisk: { due: 0, dropped: 0, byMethod: {} },
      droppedIfLate: 0,
      failureKinds: {},
      withoutLength: 0,
      resendable: 0,
      perRestart: [
        {
          dueInOutage: 0,
          dropped: 0,
          droppedIfLate: 0,
          droppedByKind: {},
          inFlightAtSigterm: 0,
          longestWaitUs: null,
          latestUs: 0,
        },
      ],
      missingSlots: 3,
      repeatedSlots: 0,
      silenceUs: null,
      isGoneAtEnd: false,
      affectedUs: null,
      longestWaitUs: null,
      lag: null,
      achievedRate: null,
    });
  });
});

describe('the balance of a ledger', () => {
  const balance = (seqs: readonly number[]): readonly [number, number] => {
    const { missingSlots, repeatedSlots } = summary(
      seqs.map((seq) => row(seq)),
      { slots: 3 },
    );
    return [missingSlots, repeatedSlots];
  };

  it.each([
    [
      [0, 1, 2],
      [0, 0],
    ],
    [
      [0, 2],
      [1, 0],
    ],
    [
      [0, 1, 1, 2, 2, 2],
      [0, 2],
    ],
    // A slot that the schedule does not have is a row too many.
    [
      [0, 1, 2, 3],
      [0, 1],
    ],
    [
      [0, 1, 2, -1],
      [0, 1],
    ],
    [
      [0, 1, 2, 0.5],
      [0, 1],
    ],
    [
      [0, 1, Number.NaN],
      [1, 1],
    ],
  ])('of slots %j is %j: missing, too many', (seqs, expected) => {
    expect(balance(seqs)).toEqual(expected);
  });

  it('does not forget a slot that comes very often', () => {
    expect(balance([0, 1, ...Array.from({ length: 257 }, () => 2)])).toEqual([0, 1]);
    expect(balance([0, 1, ...Array.from({ length: 256 }, () => 2)])).toEqual([0, 1]);
  });
});

describe('requests at risk', () => {
  it('are those due from the span’s begin to before its end', () => {
    const at = (dueUs: number): LedgerRow => badRow(1, { dueUs });
    expect(summary([at(989_999), at(990_000), at(1_759_999), at(1_760_000)]).atRisk).toEqual({
      due: 2,
      dropped: 2,
      byMethod: { GET: { due: 2, dropped: 2 } },
    });
  });

  it('count once, however many restarts they are at risk of, and each by its method', () => {
    const rows = [row(100), badRow(101), badRow(102, { method: 'POST' })];
    expect(summary(rows, { windows: [window, window], spans: [span, span] }).atRisk).toEqual({
      due: 3,
      dropped: 2,
      byMethod: { GET: { due: 2, dropped: 1 }, POST: { due: 1, dropped: 1 } },
    });
  });

  it('tell how late the latest of them left', () => {
    const late = (seq: number, byUs: number): LedgerRow => row(seq, { sentUs: seq * 10_000 + byUs });
    expect(first([late(99, 700), late(120, 900), late(121, 400), late(176, 5_000), late(98, 5_000)])?.latestUs).toBe(
      900,
    );
    expect(first([row(120, { sentUs: null, outcome: 'unsent' })])?.latestUs).toBe(0);
  });
});

describe('a restart', () => {
  it('counts who was due in its outage, its first moment included and its last not', () => {
    const at = (dueUs: number): LedgerRow => row(0, { dueUs });
    expect(first([at(1_049_999), at(1_050_000), at(1_749_999), at(1_750_000)])?.dueInOutage).toBe(2);
    // To the end of the load, at 3 s, where no process accepted again; unknown where nobody saw the old one stop.
    expect(first([at(1_400_000), at(2_990_000)], { acceptingUs: null })?.dueInOutage).toBe(2);
    expect(first([at(1_400_000)], { acceptStoppedUs: null })?.dueInOutage).toBeNull();
  });

  it('counts who was in flight at SIGTERM: sent by then, and not done', () => {
    const life = (sentUs: number | null, doneUs: number): LedgerRow => row(0, { sentUs, doneUs });
    const rows = [
      life(999_000, 1_000_001),
      life(1_000_000, 2_000_000),
      life(1_000_001, 2_000_000),
      life(999_000, 1_000_000),
      life(null, 2_000_000),
    ];
    expect(first(rows)?.inFlightAtSigterm).toBe(2);
    // A process that is killed says nothing of it: the deploy does, at 0.99 s.
    expect(first([life(989_000, 995_000)], { sigtermUs: null })?.inFlightAtSigterm).toBe(1);
    expect(first([life(989_000, 995_000)])?.inFlightAtSigterm).toBe(0);
    expect(first([life(989_000, 995_000)], { sigtermUs: null, retireUs: null })?.inFlightAtSigterm).toBeNull();
  });

  it('counts who was in flight at each SIGTERM, in whatever order they came', () => {
    const second = { ...window, restart: 2, deployBeginUs: 1_990_000, sigtermUs: 2_000_000 };
    const inFlight = (windows: readonly RestartWindow[], sentUs: number, doneUs: number): (number | null)[] =>
      summary([row(0, { sentUs, doneUs })], { windows }).perRestart.map(({ inFlightAtSigterm }) => inFlightAtSigterm);
    for (const [windows, order] of [
      [[window, second], (counts: (number | null)[]) => counts],
      [[second, window], (counts: (number | null)[]) => counts.reverse()],
    ] as const) {
      expect(order(inFlight(windows, 500_000, 900_000))).toEqual([0, 0]);
      expect(order(inFlight(windows, 500_000, 1_500_000))).toEqual([1, 0]);
      expect(order(inFlight(windows, 1_500_000, 2_500_000))).toEqual([0, 1]);
      expect(order(inFlight(windows, 500_000, 2_500_000))).toEqual([1, 1]);
      expect(order(inFlight(windows, 2_500_000, 2_600_000))).toEqual([0, 0]);
    }
    // Of one nobody saw when it was told to end.
    const unseen = { ...window, sigtermUs: null, retireUs: null };
    expect(inFlight([second, unseen], 1_500_000, 2_500_000)).toEqual([1, null]);
    expect(inFlight([unseen, second], 1_500_000, 2_500_000)).toEqual([null, 1]);
    expect(inFlight([unseen, second], 2_500_000, 2_600_000)).toEqual([null, 0]);
  });

  it('owns a drop of whose life any part lies in its at-risk span', () => {
    const drop = (dueUs: number, doneUs: number): number | undefined =>
      first([badRow(0, { dueUs, doneUs })], { deployBeginUs: 9e9 })?.dropped;
    expect(drop(500_000, 989_999)).toBe(0);
    expect(drop(500_000, 990_000)).toBe(1);
    expect(drop(1_759_999, 3_000_000)).toBe(1);
    expect(drop(1_760_000, 3_000_000)).toBe(0);
  });

  it('owns a drop after its span too, until the next one begins, and by method and connection', () => {
    const second = { ...window, restart: 2, deployBeginUs: 2_000_000 };
    const spans = [span, { fromUs: 2_000_000, toUs: 2_500_000 }];
    const rows = [
      badRow(50),
      badRow(180),
      badRow(181, { method: 'POST' }),
      badRow(182, { method: 'POST' }),
      badRow(210, { connection: 'new' }),
      badRow(290),
      row(120),
      row(121, { outcome: 'unsent', sentUs: null }),
    ];
    const { perRestart, all } = summary(rows, { windows: [window, second], spans });
    expect(all.dropped).toBe(6);
    // The one before every restart is no restart’s.
    expect(perRestart.map(({ dropped, droppedByKind }) => [dropped, droppedByKind])).toEqual([
      [3, { 'GET kept': 1, 'POST kept': 2 }],
      [2, { 'GET new': 1, 'GET kept': 1 }],
    ]);
  });

  it('owns a drop that met two of them once, as the first one’s', () => {
    const spans = [span, { fromUs: 1_700_000, toUs: 2_500_000 }];
    const { perRestart } = summary([badRow(172)], {
      windows: [window, { ...window, deployBeginUs: 1_700_000 }],
      spans,
    });
    expect(perRestart.map(({ dropped }) => dropped)).toEqual([1, 0]);
  });

  it('owns the waits of those due from its deploy on', () => {
    const wait = (dueUs: number, waitUs: number): LedgerRow => row(0, { dueUs, doneUs: dueUs + waitUs });
    const rows = [wait(989_999, 9_000_000), wait(990_000, 8_000), wait(1_400_000, 7_000), wait(2_900_000, 6_000)];
    expect(first(rows)?.longestWaitUs).toBe(8_000);
    expect(summary(rows).longestWaitUs).toBe(9_000_000);
    expect(first([badRow(140, { doneUs: 30_000_000 })])?.longestWaitUs).toBeNull();
  });
});

describe('failures by kind', () => {
  it('are counted, and answers without a length beside them', () => {
    const { failureKinds, withoutLength } = summary([
      row(0, { hasNoLength: true }),
      badRow(1),
      row(2, { outcome: 'refused' }),
      row(3, { outcome: 'refused' }),
    ]);
    expect([failureKinds, withoutLength]).toEqual([{ 'refused to serve': 1, 'port closed': 2 }, 1]);
  });
});

describe('drops that a generator which stood still could have made itself', () => {
  it('are those whose deadline passed, in all and by restart', () => {
    const timeout = { outcome: 'timeout', status: null } as const;
    const { droppedIfLate, perRestart } = summary([badRow(110), badRow(50, timeout), badRow(120, timeout)]);
    expect(droppedIfLate).toBe(2);
    expect(perRestart.map((counts) => [counts.dropped, counts.droppedIfLate])).toEqual([[2, 1]]);
  });
});

describe('the longest wait', () => {
  it('counts from the due time, less what the request itself asked for, of ok answers only', () => {
    const rows = [
      row(0, { sentUs: 5_000, doneUs: 9_000 }),
      row(1, { path: '/slow?ms=300', doneUs: 10_000 + 312_000 }),
      badRow(2, { doneUs: 30_000_000 }),
    ];
    expect(summary(rows).longestWaitUs).toBe(12_000);
    expect(summary([badRow(2)]).longestWaitUs).toBeNull();
    // An answer that came sooner than asked waited for nothing.
    expect(summary([row(1, { path: '/slow?ms=300', doneUs: 20_000 })]).longestWaitUs).toBe(0);
  });
});

describe('silence', () => {
  it('is the longest stretch of the schedule in which no request due in it was answered (silence.ts)', () => {
    expect(summary([row(0), badRow(1), badRow(2), row(3)]).silenceUs).toBe(20_000);
    expect(summary([]).silenceUs).toBeNull();
  });
});

describe('the affected time', () => {
  it('goes from the first to the last due time of dropped rows: what the generator could not send is not affected', () => {
    expect(summary([badRow(7), row(9), badRow(5), row(8, { outcome: 'unsent', sentUs: null })]).affectedUs).toBe(
      20_000,
    );
    expect(summary([badRow(5)]).affectedUs).toBe(0);
    expect(summary([row(5)]).affectedUs).toBeNull();
  });
});

describe('the schedule’s lag', () => {
  it('is how late requests left: median, 99th percentile and greatest, of those that were sent', () => {
    const rows = Array.from({ length: 200 }, (_, seq) => row(seq, { sentUs: seq * 10_000 + (200 - seq) }));
    const unsent = Array.from({ length: 50 }, (_, index) => row(200 + index, { outcome: 'unsent', sentUs: null }));
    expect(summary([...rows, ...unsent]).lag).toEqual({
      p50Us: 100,
      p99Us: 198,
      maxUs: 200,
    });
    expect(summary([row(0, { sentUs: 70 })]).lag).toEqual({ p50Us: 70, p99Us: 70, maxUs: 70 });
  });

  it('goes with the rate that was reached: n requests span n − 1 intervals', () => {
    expect(summary([row(2), row(0), row(1)]).achievedRate).toBe(100);
    expect(summary([row(0, { outcome: 'unsent', sentUs: null }), row(1), row(2)]).achievedRate).toBe(100);
    expect(summary([row(0)]).achievedRate).toBeNull();
    expect(summary([row(0), row(1, { dueUs: 0 })]).achievedRate).toBeNull();
  });
});

describe('a request that a retrying client would have sent again', () => {
  const died: Partial<LedgerRow> = { outcome: 'reset', status: null, connectedUs: null, firstByteUs: null };
  const resendable = (over: Partial<LedgerRow>): number => summary([badRow(0, { ...died, ...over })]).resendable;

  it('is a GET that died unanswered on a connection used before', () => {
    expect([resendable({}), resendable({ outcome: 'closed' })]).toEqual([1, 1]);
  });

  it.each<[string, Partial<LedgerRow>]>([
    ['a POST', { method: 'POST' }],
    ['one that was never sent', { sentUs: null }],
    ['one on a new connection', { connectedUs: 200 }],
    ['one of whose answer a byte was seen', { firstByteUs: 300 }],
    ['one that timed out', { outcome: 'timeout' }],
    ['one that was answered', { outcome: 'status-502' }],
  ])('is not %s', (_, over) => {
    expect(resendable(over)).toBe(0);
  });
});

it('a quantile is the nearest rank’s value', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0, 0.001, 0.01, 0.5, 0.501, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([
    1, 1, 1, 50, 51, 99, 100,
  ]);
  expect(quantile(new Float64Array(), 0.5)).toBeNaN();
});
