import { describe, expect, it } from 'vitest';
import e6 from '../../../experiments/E6-blue-green.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { LedgerSummary } from '../ledger-summary.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { badRow, row, runRecord, serviceRecord } from '../testing.ts';
import { sharedLedgers } from '../testing-database.ts';
import { event, eventsOf, linesOf, originMonotonicUs } from '../testing-folder.ts';

const inOrder = (events: TimelineEvent[]) => events.toSorted((a, b) => a.atUs - b.atUs);
/** At risk from 0.99 s to 1.76 s, when the proxy gave the first answer of the new version. */
const first = [...eventsOf(), event('proxy-first-answer', 1_760_000)];
/** A second one, at risk from 2 s to 2.5 s. */
const second: Partial<RestartWindow> = {
  restart: 2,
  deployBeginUs: 2_000_000,
  retireUs: 2_000_000,
  sigtermUs: 2_000_000,
  acceptStoppedUs: 2_050_000,
  exitUs: 2_100_000,
  acceptingUs: 2_350_000,
  readyUs: 2_500_000,
};
const sample = (atUs: number, port: number, waiting: number) => ({
  atMonotonicUs: originMonotonicUs + atUs,
  port,
  waiting,
});
const two = sharedLedgers(() => ({
  timeline: inOrder([...first, ...eventsOf(second)]),
  queues: [
    sample(989_999, 18_080, 90),
    sample(990_000, 18_080, 7),
    sample(1_300_000, 18_180, 6),
    sample(1_759_999, 18_080, 5),
    sample(1_760_000, 18_080, 90),
    sample(1_300_000, 22, 99),
    sample(2_499_999, 18_180, 8),
  ],
}));
const swap = sharedLedgers(() => ({
  run: runRecord(resolveExperiment(e6, { changes: [] })),
  timeline: [...first, event('check-down', 1_800_000)],
  queues: [sample(1_300_000, 18_180, 6)],
}));

/** Restarts of one run, those of each test 100 s after those of the one before. */
const all: TimelineEvent[] = [];
let restarts = 0;
const apart = sharedLedgers(() => ({
  run: { ...linesOf({}).run, durationMs: (restarts + 1) * 100_000 },
  timeline: inOrder(all),
}));

/** What a ledger comes to, and becomes of restarts with these moments; to be called while tests are collected. */
function summaryOf(
  windows: readonly Partial<RestartWindow>[],
  ledger: readonly LedgerRow[],
  more: TimelineEvent[] = [],
) {
  const before = restarts;
  restarts += windows.length;
  const later = (us: number | null): number | null => (us === null ? null : us + before * 100_000_000);
  const seen = [...windows.flatMap(eventsOf), ...more];
  all.push(...seen.map((one) => ({ ...one, atUs: later(one.atUs) ?? 0, restart: one.restart + before })));
  const found = apart.summary(
    ledger.map((one) => ({
      ...one,
      dueUs: later(one.dueUs) ?? 0,
      sentUs: later(one.sentUs),
      doneUs: later(one.doneUs) ?? 0,
    })),
  );
  return async (): Promise<LedgerSummary> => {
    const summary = await found();
    return { ...summary, perRestart: summary.perRestart.slice(before, before + windows.length) };
  };
}

const due = (dueUs: number): LedgerRow => row(0, { dueUs });
const life = (sentUs: number | null, doneUs: number): LedgerRow => row(0, { sentUs, doneUs });
const unsent = { outcome: 'unsent', sentUs: null } as const;

describe('requests at risk', () => {
  const at = (dueUs: number): LedgerRow => badRow(1, { dueUs });
  const atRisk = two.answers('at-risk', [
    { rows: [at(989_999), at(990_000), at(1_759_999), at(1_760_000)] },
    { rows: [row(100), badRow(101), badRow(102, { method: 'POST' })] },
  ]);
  it('are those due from the span’s begin to before its end, by method', async () => {
    const [border, mixed] = await atRisk();
    expect(border).toEqual([{ method: 'GET', due: 2, dropped: 2 }]);
    expect(mixed).toEqual([
      { method: 'GET', due: 2, dropped: 1 },
      { method: 'POST', due: 1, dropped: 1 },
    ]);
  });

  const ofTwo = summaryOf([{}, { ...second, deployBeginUs: 1_500_000 }], [row(160)]);
  it('count once, however many restarts they are at risk of', async () => {
    expect((await ofTwo()).atRisk).toEqual({ due: 1, dropped: 0, byMethod: { GET: { due: 1, dropped: 0 } } });
  });

  const ledger = Array.from({ length: 300 }, (_, seq) => row(seq));
  const ends = [{}, { exitUs: 2_000_000 }, { readyUs: null }].map((one) => summaryOf([one], ledger));
  it('are so until the new process is ready, or the old one gone, whatever is last, or the load ends', async () => {
    // From 0.99 s to 1.7501 s, to 2 s, and to 3 s: from slot 99 on.
    const found = await Promise.all(ends.map(async (summary) => (await summary()).atRisk.due));
    expect(found).toEqual([77, 101, 201]);
  });

  const late = (seq: number, byUs: number): LedgerRow => row(seq, { sentUs: seq * 10_000 + byUs });
  const lateness = two.answers('restart-load', [
    { rows: [late(99, 700), late(120, 900), late(121, 400), late(176, 5_000), late(98, 5_000), row(122, unsent)] },
  ]);
  it('tell how late the latest of them left', async () => {
    expect(await lateness()).toMatchObject([[{ latestUs: 900 }, { latestUs: 0 }]]);
  });
});

describe('a restart', () => {
  const outage = two.answers('restart-load', [{ rows: [1_049_999, 1_050_000, 1_749_999, 1_750_000].map(due) }]);
  it('counts who was due in its outage, its first moment included and its last not', async () => {
    expect(await outage()).toMatchObject([[{ dueInOutage: 2 }, { dueInOutage: 0 }]]);
  });

  // Nothing accepts from 1.05 s on until 2.35 s; the second process stops at 2.05 s.
  const withinAnother = [{ acceptingUs: null, readyUs: null }, second];
  const outages = [
    summaryOf(withinAnother, [
      due(1_100_000),
      due(2_000_000),
      due(2_100_000),
      row(0, { dueUs: 2_200_000, sentUs: 2_207_000 }),
    ]),
    summaryOf(withinAnother, [due(1_100_000), row(0, { dueUs: 1_200_000, sentUs: 1_209_000 }), due(2_100_000)]),
    summaryOf([{ acceptStoppedUs: null, exitUs: null }], [due(1_400_000), due(2_990_000)]),
  ];
  it('counts them whether another outage lies in its own or not, and not where no process was seen to stop', async () => {
    const found = await Promise.all(outages.map(async (summary) => (await summary()).perRestart));
    expect(found).toMatchObject([
      [
        { dueInOutage: 4, latestUs: 7_000 },
        { dueInOutage: 2, latestUs: 7_000 },
      ],
      [
        { dueInOutage: 3, latestUs: 9_000 },
        { dueInOutage: 1, latestUs: 100 },
      ],
      [{ dueInOutage: null }],
    ]);
  });

  const lives: [LedgerRow[], number[]][] = [
    [
      [
        life(999_000, 1_000_001),
        life(1_000_000, 2_000_000),
        life(1_000_001, 2_000_000),
        life(999_000, 1_000_000),
        life(null, 2_000_000),
      ],
      [2, 0],
    ],
    [[life(989_000, 995_000)], [0, 0]],
    [[life(500_000, 1_500_000)], [1, 0]],
    [[life(1_500_000, 2_500_000)], [0, 1]],
    [[life(500_000, 2_500_000)], [1, 1]],
    [[life(2_500_000, 2_600_000)], [0, 0]],
  ];
  const inFlight = two.answers(
    'restart-in-flight',
    lives.map(([rows]) => ({ rows })),
  );
  it('counts who was in flight at SIGTERM: sent by then, and not done', async () => {
    const counts = (await inFlight()).map((rows) =>
      [1, 2].map((restart) => rows.find((one) => one['restart'] === restart)?.['inFlight'] ?? 0),
    );
    expect(counts).toEqual(lives.map(([, expected]) => expected));
  });

  // Retired at 0.99 s.
  const untold = [summaryOf([{ sigtermUs: null }], [life(989_000, 995_000)])];
  untold.push(summaryOf([{ sigtermUs: null, retireUs: null }, second], [life(989_000, 995_000)]));
  it('counts them from what the deploy says where the process that is killed says nothing, and not where neither did', async () => {
    const found = await Promise.all(untold.map(async (summary) => (await summary()).perRestart));
    expect(found).toMatchObject([[{ inFlightAtSigterm: 1 }], [{ inFlightAtSigterm: null }, { inFlightAtSigterm: 0 }]]);
  });

  const drop = (dueUs: number, doneUs: number): LedgerRow[] => [badRow(0, { dueUs, doneUs })];
  two.figures(
    'owns a drop of whose life any part lies in its at-risk span, or after it until the next one begins',
    ['restart-drops', 'restart'],
    {
      'done just before': [0, drop(500_000, 989_999)],
      'done as it begins': [1, drop(500_000, 990_000)],
      'due as it ends': [1, drop(1_759_999, 3_000_000)],
      'due after its end': [1, drop(1_760_000, 1_990_000)],
      'due as the next begins': [2, drop(2_000_000, 2_000_001)],
      // It met both, and is the first one's.
      'met both': [1, drop(1_700_000, 2_100_000)],
      'due after the last': [2, drop(2_900_000, 2_900_001)],
    },
  );

  const timeout = { outcome: 'timeout', status: null } as const;
  const drops = two.summary([
    badRow(50),
    badRow(180),
    badRow(181, { method: 'POST' }),
    badRow(182, { method: 'POST', ...timeout }),
    badRow(210, { connection: 'new' }),
    badRow(290, timeout),
    row(120),
    row(121, unsent),
  ]);
  it('counts its drops by method and connection, and those that lateness can cause', async () => {
    const { perRestart, all: sum, droppedIfLate } = await drops();
    expect([sum.dropped, droppedIfLate]).toEqual([6, 2]);
    // The one before every restart is no restart’s.
    expect(perRestart).toMatchObject([
      { dropped: 3, droppedIfLate: 1, droppedByKind: { 'GET kept': 1, 'POST kept': 2 } },
      { dropped: 2, droppedIfLate: 1, droppedByKind: { 'GET new': 1, 'GET kept': 1 } },
    ]);
  });

  const wait = (dueUs: number, waitUs: number): LedgerRow => row(0, { dueUs, doneUs: dueUs + waitUs });
  const waits = two.summary([
    wait(989_999, 9_000_000),
    wait(990_000, 8_000),
    wait(1_400_000, 7_000),
    wait(2_900_000, 6_000),
  ]);
  const lost = summaryOf([{}], [badRow(140, { doneUs: 30_000_000 })]);
  it('owns the waits of those due from its deploy on', async () => {
    const { perRestart, longestWaitUs } = await waits();
    expect([longestWaitUs, ...perRestart.map((one) => one.longestWaitUs)]).toEqual([9_000_000, 8_000, 6_000]);
    expect((await lost()).perRestart).toMatchObject([{ longestWaitUs: null }]);
  });

  const empty = summaryOf([{}], []);
  it('knows nothing of an empty ledger', async () => {
    expect((await empty()).perRestart).toEqual([
      {
        dueInOutage: 0,
        dropped: 0,
        droppedIfLate: 0,
        droppedByKind: {},
        inFlightAtSigterm: 0,
        longestWaitUs: null,
        latestUs: 0,
        longestQueue: null,
      },
    ]);
  });

  // The last of all, since nothing ends it.
  const unended = summaryOf([{ acceptingUs: null }], [due(1_400_000), due(2_990_000)]);
  it('counts who was due in its outage to the end of the load where no process accepted again', async () => {
    expect((await unended()).perRestart).toMatchObject([{ dueInOutage: 2, latestUs: 100 }]);
  });
});

it('an old version is in rotation, in a swap, until the check may have seen that it left', async () => {
  const asked = 'select outOfRotationUs from restarts where restart = 1';
  expect(await swap.run().database.all(asked)).toEqual([{ outOfRotationUs: 1_800_000 }]);
  expect(await two.run().database.all(asked)).toEqual([{ outOfRotationUs: 990_000 }]);
});

describe('the longest listen queue of each restart', () => {
  const [ofTwo, ofSwap, unseen] = [two, swap, apart].map((run) => run.answers('restart-queues', [{ rows: [] }]));

  it('is the most that waited at one of the site’s public ports, from a restart’s begin to before its end', async () => {
    // Of one colour the second port is none of the site's.
    expect(await ofTwo?.()).toEqual([
      [
        { restart: 1, longestQueue: 7 },
        { restart: 2, longestQueue: 0 },
      ],
    ]);
    expect(await ofSwap?.()).toEqual([[{ restart: 1, longestQueue: 6 }]]);
  });

  it('is not known where nobody looked', async () => {
    expect(await unseen?.()).toEqual([[]]);
  });
});

describe('a service of your own', () => {
  const steady = sharedLedgers(() => ({ run: serviceRecord() })).answers('last-drop-before-steady', [
    {
      rows: [badRow(98), badRow(110), badRow(112), row(120), badRow(140), badRow(210)],
      restarts: [
        { restart: 1, deployBeginUs: 990_000, steadyUs: 1_400_000 },
        { restart: 2, deployBeginUs: 2_000_000 },
      ],
    },
  ]);
  it('was steady again after the last drop before it was called so', async () => {
    expect(await steady()).toEqual([[{ restart: 1, lastUs: 1_120_000 }]]);
  });
});
