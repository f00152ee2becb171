import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { eventKinds, type EventKind, type TimelineEvent } from '../../run/files/timeline.ts';
import { dropWindows } from '../drop-windows.ts';
import { countLedger, type Ask } from '../ledger-summary.ts';
import { badRow, row } from '../testing.ts';
import { sharedLedgers, type Case } from '../testing-database.ts';
import { event } from '../testing-folder.ts';

const ledgers = sharedLedgers();
const unsent = { outcome: 'unsent', sentUs: null } as const;
const refused = { outcome: 'refused', sentUs: null } as const;

describe('the counts of a ledger', () => {
  const several = ledgers.summary([
    row(0),
    row(1, { method: 'POST', connection: 'new' }),
    badRow(2, { method: 'POST' }),
    badRow(3, refused),
    row(4, unsent),
    row(5, { outcome: 'local' }),
  ]);
  it('are given in all, by method, by connection and by both', async () => {
    const { all, byMethod, byConnection, byKind, failureKinds } = await several();
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
    expect(failureKinds).toEqual({ 'refused to serve': 1, 'port closed': 1 });
  });

  const empty = ledgers.summary([]);
  it('are nothing of an empty ledger, and nothing else is known of it', async () => {
    expect(await empty()).toEqual({
      all: { due: 0, sent: 0, dropped: 0, outcomes: {} },
      byMethod: {},
      byConnection: {},
      byKind: {},
      atRisk: { due: 0, dropped: 0, byMethod: {} },
      droppedIfLate: 0,
      failureKinds: {},
      withoutLength: 0,
      tlsError: null,
      resendable: 0,
      perRestart: [],
      missingSlots: 300,
      repeatedSlots: 0,
      silenceUs: null,
      isGoneAtEnd: false,
      affectedUs: null,
      longestWaitUs: null,
      lag: null,
      achievedRate: null,
    });
  });

  const late = Array.from({ length: 200 }, (_, seq) => row(seq, { sentUs: seq * 10_000 + (200 - seq) }));
  const never = Array.from({ length: 50 }, (_, index) => row(200 + index, unsent));
  const [many, one, atOnce] = [
    ledgers.summary([...late, ...never]),
    ledgers.summary([row(0, { sentUs: 70 })]),
    ledgers.summary([row(0), row(1, { dueUs: 0 })]),
  ];
  it('say how late requests left, and at which rate: n requests span n − 1 intervals', async () => {
    const { lag, achievedRate } = await many();
    // Nearest rank: the 100th, the 198th and the 200th of 1 to 200 µs.
    expect(lag).toEqual({ p50Us: 100, p99Us: 198, maxUs: 200 });
    // 199 intervals from 200 µs to 1.990001 s.
    expect(achievedRate).toBeCloseTo((199 * 1e6) / 1_989_801, 6);
    expect(await one()).toMatchObject({ lag: { p50Us: 70, p99Us: 70, maxUs: 70 }, achievedRate: null });
    expect((await atOnce()).achievedRate).toBeNull();
  });
});

describe('slots of the schedule', () => {
  const cases: [seqs: number[], missing: number, repeated: number][] = [
    [[0, 1, 2], 0, 0],
    [[0, 2], 1, 0],
    [[0, 1, 1, 2, 2, 2], 0, 2],
    // A slot that the schedule does not have is a row too many.
    [[0, 1, 2, 3], 0, 1],
    [[0, 1, 2, 7, 7], 0, 2],
    [[0, 1, ...Array.from({ length: 257 }, () => 2)], 0, 1],
    [[], 3, 0],
  ];
  const found = ledgers.answers(
    'slots',
    cases.map(([seqs]) => ({ rows: seqs.map((seq) => row(seq)), slots: 3 })),
  );
  it('are missing, or there too often', async () => {
    expect(await found()).toEqual(cases.map(([, missing, repeated]) => [{ missing, repeated }]));
  });
});

describe('a sum over all requests', () => {
  const died: Partial<LedgerRow> = { outcome: 'reset', status: null, connectedUs: null, firstByteUs: null };
  const race = { ...died, sentUs: 100, doneUs: 200, rttUs: 0 };

  const resendable =
    'is of safe requests that died unanswered on a used connection, and of refused streams, which a retrying client would send again';
  ledgers.figures(resendable, ['totals', 'resendable'], {
    'it was reset': [1, [badRow(0, died)]],
    'it was closed': [1, [badRow(0, { ...died, outcome: 'closed' })]],
    'a HEAD': [1, [badRow(0, { ...died, method: 'HEAD' })]],
    'an OPTIONS': [1, [badRow(0, { ...died, method: 'OPTIONS' })]],
    'a POST': [0, [badRow(0, { ...died, method: 'POST' })]],
    'never sent': [0, [badRow(0, { ...died, sentUs: null })]],
    'on a new connection': [0, [badRow(0, { ...died, connectedUs: 200 })]],
    'a byte was seen': [0, [badRow(0, { ...died, firstByteUs: 300 })]],
    'it timed out': [0, [badRow(0, { ...died, outcome: 'timeout' })]],
    'it was answered': [0, [badRow(0, { ...died, outcome: 'status-502' })]],
    'its stream was reset': [0, [badRow(0, { ...died, error: 'RST_STREAM INTERNAL_ERROR, wait' })]],
    'its stream was refused, a POST': [1, [badRow(0, { ...died, outcome: 'refused-stream', method: 'POST' })]],
  });

  const wait = 'is the longest wait of ok answers, from the due time, less what was asked for';
  ledgers.figures(wait, ['totals', 'longestWaitUs'], {
    late: [9_000, [row(0, { sentUs: 5_000, doneUs: 9_000 }), badRow(2, { doneUs: 3e7 })]],
    slow: [12_000, [row(1, { path: '/slow?ms=300', doneUs: 322_000 })]],
    'no ok answer': [null, [badRow(2)]],
  });

  ledgers.figures('is from the first to the last due time of dropped rows', ['totals', 'affectedUs'], {
    several: [20_000, [badRow(7), row(9), badRow(5), row(8, unsent)]],
    one: [0, [badRow(5)]],
    none: [null, [row(5)]],
  });

  const late = 'is of deadlines that passed, and closes of a connection that was kept';
  ledgers.figures(late, ['totals', 'droppedIfLate'], {
    'a status': [0, [badRow(1)]],
    deadlines: [2, [badRow(2, { outcome: 'timeout' }), badRow(3, { outcome: 'connect-timeout' })]],
    'a race': [1, [badRow(4, race)]],
  });

  ledgers.figures('is of ok answers without a length', ['totals', 'withoutLength'], {
    'one of two': [1, [row(0, { hasNoLength: true }), row(1)]],
    'none, of one that is not ok': [0, [badRow(0, { hasNoLength: true })]],
  });
});

describe('the silence of a load', () => {
  /** 300 slots, of which `over` says what became of some; the others are ok after 2 ms. */
  const load = (over: (seq: number) => Partial<LedgerRow> | null, count = 300): Case => ({
    rows: Array.from({ length: count }, (_, seq) => row(seq, over(seq) ?? {})),
  });
  const between = (from: number, to: number) => (seq: number) => (seq >= from && seq < to ? refused : null);
  const outage = between(100, 150);
  const inFlight = (seq: number) => (seq >= 90 && seq < 100 ? { doneUs: seq * 10_000 + 302_000 } : null);
  const late = (seq: number) => ({ doneUs: seq * 10_000 + 400_000 });

  const silence = 'is the longest stretch of the schedule in which no request due in it was answered';
  ledgers.figures(silence, ['silence', 'silenceUs'], {
    'every request is answered': [0, load(() => null)],
    'an outage of 50 slots': [500_000, load(outage)],
    // Slots 100 to 299: due from 1000 ms to 2990 ms.
    'the service dies for good': [1_990_000, load(between(100, 300))],
    'it is absent at first': [1_200_000, load(between(0, 120))],
    'all fail': [2_990_000, load(() => refused)],
    'the longest of several': [
      700_000,
      load((seq) => between(20, 30)(seq) ?? between(60, 130)(seq) ?? between(200, 220)(seq)),
    ],
    // Answered in every eighth slot only: seven failures in a row.
    'the service flaps': [70_000, load((seq) => (seq % 8 === 0 ? null : refused))],
    // Slots 90 to 99 are answered 300 ms late, in the midst of an outage from slot 100 (1000 ms) to slot 149.
    'answers to requests due before it': [500_000, load((seq) => inFlight(seq) ?? outage(seq))],
    'one such answer': [500_000, load((seq) => (seq === 99 ? { doneUs: 1_292_000 } : outage(seq)))],
    // Slots 100 to 149 wait in the queue until 1500 ms.
    'all are answered in the end': [500_000, load((seq) => (seq >= 100 && seq < 150 ? { doneUs: 1_502_000 } : null))],
    'not beyond the last due request': [0, load((seq) => (seq === 299 ? { doneUs: 9_000_000 } : null))],
    'to the last due request': [190_000, load((seq) => (seq >= 280 ? { doneUs: 9_000_000 } : null))],
    'every answer takes long': [0, load(late)],
    'every answer takes long, beside an outage': [500_000, load((seq) => outage(seq) ?? late(seq))],
    'the generator could not send': [0, load((seq) => (seq >= 100 && seq < 150 ? unsent : null))],
    'a single answer': [0, load(() => null, 1)],
    'a single failure': [0, load(() => refused, 1)],
    'no request': [null, load(() => null, 0)],
    'none was sent': [null, load(() => unsent)],
  });

  const endOf = (...outcomes: LedgerRow['outcome'][]): Case => ({
    rows: ['ok' as const, ...outcomes].map((outcome, seq) => row(seq, { outcome })),
  });
  const ends = ledgers.answers('end', [
    endOf('ok'),
    endOf('refused'),
    endOf('reset', 'status-502'),
    endOf('refused', 'unsent'),
    endOf('reset', 'local'),
  ]);
  it('ends with the outcomes of the last two requests that left', async () => {
    const found = (await ends()).map((rows) => rows.map(({ outcome }) => outcome).join(', '));
    expect(found).toEqual(['ok, ok', 'refused, ok', 'status-502, reset', 'refused, ok', 'reset, ok']);
  });

  it('is of a service that is gone where the last request was refused, or the last two failed', async () => {
    const isGone = async (...last: readonly LedgerRow['outcome'][]): Promise<boolean> => {
      const rows: Record<string, object[]> = { totals: [{}], slots: [{}], end: last.map((outcome) => ({ outcome })) };
      return (await countLedger(async (name) => Promise.resolve((rows[name] ?? []) as never), [])).isGoneAtEnd;
    };
    expect([await isGone('refused', 'ok'), await isGone('status-502', 'reset')]).toEqual([true, true]);
    // One may fail by chance.
    expect([await isGone('reset', 'ok'), await isGone('ok', 'refused'), await isGone('reset')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('a change of a service', () => {
  /** The deploy begins at 0.99 s: slot 50 is before it, slot 150 after. */
  const after = (...rows: LedgerRow[]): Case => ({
    rows: [row(50), ...rows],
    restarts: [{ restart: 1, deployBeginUs: 990_000 }],
  });

  const change = 'is an outcome, instance or version that was not there before the deploy began';
  ledgers.figures(change, ['changes', 'new'], {
    'as before': [0, after(row(150))],
    'fails as before': [0, after(badRow(51), badRow(150))],
    'fails anew': [1, after(badRow(150))],
    'fails in another way': [1, after(badRow(51), row(150, refused))],
    // One that was in flight when the deploy began may have died of it.
    'was in flight': [1, after(badRow(98, { outcome: 'reset', doneUs: 1_200_000 }))],
    'another instance': [1, after(row(150, { instance: 'j' }))],
    'another version': [1, after(row(150, { version: 'v1' }))],
    'another address': [1, after(row(150, { address: '10.0.0.2' }))],
    'a version seen before': [0, after(row(51, { version: 'v1' }), row(150, { version: 'v1' }))],
    'what could not be sent': [0, after(row(150, unsent))],
  });

  const many = Array.from({ length: 1_000 }, (_, index) => row(51, { instance: `b${index}` }));
  ledgers.figures('is held against all that was there before', ['changes', 'before'], {
    many: [1_001, after(...many)],
  });
});

describe('stale answers', () => {
  /** v0 is out of rotation from 1 s on, v1 from 3 s on. */
  const restarts = [
    { restart: 1, outOfRotationUs: 1_000_000 },
    { restart: 2, outOfRotationUs: 3_000_000 },
  ];
  const answer = (version: string | null, sentUs: number | null, over: Partial<LedgerRow> = {}): LedgerRow =>
    row(0, { version, sentUs, doneUs: (sentUs ?? 0) + 1_000, ...over });
  const newer = answer('v1', 1_500_000);
  const late = 2_000_000;
  const of = (...rows: LedgerRow[]): Case => ({ rows, restarts });

  const stale = 'were sent after their version was out of rotation, and after a newer one had answered';
  ledgers.figures(stale, ['stale', 'stale'], {
    'sent when the newer one answered': [0, of(newer, answer('v0', 1_501_000))],
    'sent after that': [1, of(newer, answer('v0', 1_501_001))],
    // Answered by the newer one before the older was out of rotation: then its retiring decides.
    'sent when it was retired': [0, of(answer('v1', 500_000), answer('v0', 1_000_000))],
    'sent after it was retired': [1, of(answer('v1', 500_000), answer('v0', 1_000_001))],
    'the earliest newer one comes last': [1, of(answer('v1', late), newer, answer('v0', 1_600_000))],
    'the newer one comes after it': [1, of(answer('v0', 1_600_000), newer)],
    'of two versions': [2, of(answer('v2', 3_500_000), answer('v0', 3_600_000), answer('v1', 3_600_000))],
    'of its own version': [0, of(answer('v1', 3_500_000), answer('v1', 3_600_000))],
    'in rotation still': [0, of(newer, answer('v1', 2_500_000))],
    'not ok': [0, of(newer, answer('v0', late, { outcome: 'status-503' }))],
    'never sent': [0, of(newer, answer('v0', null))],
    'after one that was never sent': [0, of(answer('v1', null), answer('v0', late))],
    'after one that was not ok': [0, of(answer('v1', 1_500_000, { outcome: 'status-503' }), answer('v0', late))],
    'no version of ours': [
      0,
      of(newer, ...[null, 'v', 'vx', 'xv0', 'v0x', '0'].map((version) => answer(version, late))),
    ],
    'versions of two digits': [
      1,
      {
        rows: [answer('v12', 1_500_000), answer('v11', 1_600_000)],
        restarts: [{ restart: 12, outOfRotationUs: 1_000_000 }],
      },
    ],
    'retired by no deploy': [0, { rows: [newer, answer('v0', 9_000_000)], restarts: [{ restart: 1 }] }],
    'without restarts': [0, { rows: [newer, answer('v0', 9_000_000)] }],
  });
});

describe('windows of drops', () => {
  const drop = (sentUs: number, doneUs: number): LedgerRow => badRow(0, { dueUs: sentUs - 10, sentUs, doneUs });

  const found = ledgers.answers('drop-windows', [
    { rows: [row(0), row(1, unsent), row(2, { outcome: 'local' })] },
    { rows: [drop(3_000_000, 3_500_000), drop(2_000_000, 3_600_000), drop(2_500_000, 2_600_000)] },
    { rows: [badRow(0, { dueUs: 70, sentUs: null, doneUs: 90 })] },
    { rows: [drop(1, 1_000_000), drop(1, 2_000_000)] },
    { rows: [drop(1, 1_000_000), drop(1_500_000, 2_000_001)] },
    { rows: [drop(2_000_000, 2_400_000), { ...drop(2_010_000, 32_000_000), outcome: 'timeout' }] },
    { rows: [drop(3_000_000, 3_100_000), drop(1_000_000, 9_000_000)] },
  ]);
  it('go from the first sending to the last known drop, and are two where over a second lies between', async () => {
    const [none, one, never, near, apart, hung, overlapping] = await found();
    expect(none).toEqual([]);
    const site = { firstSite: 'demo', lastSite: 'demo' };
    expect(one).toEqual([{ ...site, fromUs: 2_000_000, firstUs: 2_600_000, toUs: 3_600_000, dropped: 3 }]);
    expect(never).toEqual([{ ...site, fromUs: 70, firstUs: 90, toUs: 90, dropped: 1 }]);
    expect(near).toHaveLength(1);
    expect(apart).toEqual([
      { ...site, fromUs: 1, firstUs: 1_000_000, toUs: 1_000_000, dropped: 1 },
      { ...site, fromUs: 1_500_000, firstUs: 2_000_001, toUs: 2_000_001, dropped: 1 },
    ]);
    // Given up 30 s later, it belongs to where it was sent.
    expect(hung).toEqual([{ ...site, fromUs: 2_000_000, firstUs: 2_010_000, toUs: 2_400_000, dropped: 2 }]);
    expect((overlapping as { fromUs: number }[]).map(({ fromUs }) => fromUs)).toEqual([1_000_000, 3_000_000]);
  });

  /** One window, of a drop that was known from 20 s on, unless said. */
  const named = async (timeline: readonly TimelineEvent[], firstUs = 20_000_000, toUs = firstUs) => {
    const rows = [{ fromUs: 19_000_000, firstUs, toUs, dropped: 1 }];
    const [window] = await dropWindows((async () => Promise.resolve(rows)) as unknown as Ask, timeline);
    return window;
  };

  it('are opened by what takes a process, a port or a backend away, and closed by what brings one', async () => {
    const of = async (side: 'openedBy' | 'closedBy'): Promise<EventKind[]> => {
      const found = await Promise.all(eventKinds.map(async (kind) => (await named([event(kind, 20_000_000)]))?.[side]));
      return eventKinds.filter((_, index) => found[index] !== null);
    };
    expect(new Set(await of('openedBy'))).toEqual(
      new Set([
        ...(['retire', 'sigterm', 'deploy-begin', 'not-ready', 'accept-stopped', 'killing', 'main-exited'] as const),
        ...(['socket-stopped', 'proxy-file', 'check-down', 'container-ended'] as const),
      ]),
    );
    expect(new Set(await of('closedBy'))).toEqual(
      new Set(['accepting', 'socket-started', 'check-up', 'proxy-file', 'main-exited', 'exit', 'steady'] as const),
    );
  });

  it.each([
    ['sigterm', 'openedBy', 10_000_000, false],
    ['sigterm', 'openedBy', 10_000_001, true],
    ['sigterm', 'openedBy', 20_050_000, true],
    ['sigterm', 'openedBy', 20_050_001, false],
    ['accepting', 'closedBy', 19_949_999, false],
    ['accepting', 'closedBy', 19_950_000, true],
    ['accepting', 'closedBy', 29_999_999, true],
    ['accepting', 'closedBy', 30_000_000, false],
  ] as const)(
    'have events from 10 s before to 50 ms after, and the other way round: %s %s %i',
    async (kind, side, atUs, isNear) => {
      expect((await named([event(kind, atUs)]))?.[side]).toEqual(isNear ? { kind, atUs, line: 1 } : null);
    },
  );

  it('of a service of one’s own begin no earlier than the event that opened them, and are in order', async () => {
    const rows = [
      { fromUs: 18_000_000, firstUs: 20_010_000, toUs: 20_010_000, dropped: 1 },
      { fromUs: 19_000_000, firstUs: 19_001_000, toUs: 19_001_000, dropped: 1 },
      { fromUs: 20_100_000, firstUs: 20_101_000, toUs: 20_101_000, dropped: 1 },
    ];
    const of = async (...kind: ['measure'] | []) =>
      await dropWindows(
        (async () => Promise.resolve(rows)) as unknown as Ask,
        [event('deploy-begin', 20_000_000)],
        ...kind,
      );
    expect((await of('measure')).map(({ fromUs }) => fromUs)).toEqual([19_000_000, 20_000_000, 20_100_000]);
    expect((await of()).map(({ fromUs }) => fromUs)).toEqual([18_000_000, 19_000_000, 20_100_000]);
  });

  it('name the last event before and the first one after, by their lines in the timeline', async () => {
    const timeline = [
      event('load-begin', 0),
      event('sigterm', 1_000_000),
      event('accept-stopped', 1_100_000),
      event('exit', 1_150_000),
      event('accepting', 1_600_000),
      event('accept-stopped', 1_700_000),
      event('accepting', 1_800_000),
    ];
    expect(await named(timeline, 1_200_000, 1_500_000)).toMatchObject({
      openedBy: { kind: 'accept-stopped', atUs: 1_100_000, line: 3 },
      closedBy: { kind: 'accepting', atUs: 1_600_000, line: 5 },
    });
  });
});
