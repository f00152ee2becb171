import { describe, expect, it } from 'vitest';
import e6 from '../../../experiments/E6-blue-green.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { RestartCounts } from '../ledger-summary.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { badRow, row, runRecord, serviceRecord, window } from '../testing.ts';
import { answersOf, answersOfEach, summaryOf, type Case } from '../testing-database.ts';
import { event, eventsOf, linesOf, originMonotonicUs } from '../testing-folder.ts';

/** At risk from 0.99 s to 1.76 s, when the proxy gave the first answer of the new version. */
const timeline = [...eventsOf(), event('proxy-first-answer', 1_760_000)];
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
const inOrder = (events: typeof timeline) => events.toSorted((a, b) => a.atUs - b.atUs);
const both = inOrder([...timeline, ...eventsOf(second)]);

/** What became of restarts with these moments. */
async function countsOf(windows: Partial<RestartWindow>[], ledger: LedgerRow[]): Promise<readonly RestartCounts[]> {
  return (await summaryOf({ timeline: inOrder(windows.flatMap(eventsOf)), ledger })).perRestart;
}

const due = (dueUs: number): LedgerRow => row(0, { dueUs });
const life = (sentUs: number | null, doneUs: number): LedgerRow => row(0, { sentUs, doneUs });
const unsent = { outcome: 'unsent', sentUs: null } as const;

describe('requests at risk', () => {
  it('are those due from the span’s begin to before its end, by method', async () => {
    const at = (dueUs: number): LedgerRow => badRow(1, { dueUs });
    const [border, mixed] = await answersOfEach(
      'at-risk',
      [
        { rows: [at(989_999), at(990_000), at(1_759_999), at(1_760_000)] },
        { rows: [row(100), badRow(101), badRow(102, { method: 'POST' })] },
      ],
      { timeline },
    );
    expect(border).toEqual([{ method: 'GET', due: 2, dropped: 2 }]);
    expect(mixed).toEqual([
      { method: 'GET', due: 2, dropped: 1 },
      { method: 'POST', due: 1, dropped: 1 },
    ]);
  });

  it('count once, however many restarts they are at risk of', async () => {
    const early = { ...second, deployBeginUs: 1_500_000 };
    const { atRisk } = await summaryOf({ timeline: inOrder([...timeline, ...eventsOf(early)]), ledger: [row(160)] });
    expect(atRisk).toEqual({ due: 1, dropped: 0, byMethod: { GET: { due: 1, dropped: 0 } } });
  });

  it('are so until the new process is ready, or the old one gone, whatever is last, or the load ends', async () => {
    const ledger = Array.from({ length: 300 }, (_, seq) => row(seq));
    const dueOf = async (one: Partial<RestartWindow>): Promise<number> =>
      (await summaryOf({ timeline: inOrder(eventsOf(one)), ledger })).atRisk.due;
    // From 0.99 s to 1.7501 s, to 2 s, and to 3 s: from slot 99 on.
    expect([await dueOf({}), await dueOf({ exitUs: 2_000_000 }), await dueOf({ readyUs: null })]).toEqual([
      77, 101, 201,
    ]);
  });

  it('tell how late the latest of them left', async () => {
    const late = (seq: number, byUs: number): LedgerRow => row(seq, { sentUs: seq * 10_000 + byUs });
    const rows = [late(99, 700), late(120, 900), late(121, 400), late(176, 5_000), late(98, 5_000), row(122, unsent)];
    const [found] = await answersOfEach('restart-lateness', [{ rows }], { timeline });
    expect(found).toEqual([{ restart: 1, latestUs: 900 }]);
  });
});

describe('a restart', () => {
  it('counts who was due in its outage, its first moment included and its last not', async () => {
    const rows = [1_049_999, 1_050_000, 1_749_999, 1_750_000].map(due);
    expect(await answersOfEach('restart-outage', [{ rows }], { timeline })).toEqual([[{ restart: 1, due: 2 }]]);
  });

  it('counts them to the end of the load where no process accepted again, and not where none was seen to stop', async () => {
    const rows = [due(1_400_000), due(2_990_000)];
    expect(await countsOf([{ acceptingUs: null }], rows)).toMatchObject([{ dueInOutage: 2, latestUs: 100 }]);
    expect(await countsOf([{ acceptStoppedUs: null, exitUs: null }], rows)).toMatchObject([{ dueInOutage: null }]);
  });

  it('counts them whether another outage lies in its own or not', async () => {
    // Nothing accepts from 1.05 s on until 2.35 s; the second process stops at 2.05 s.
    const rows = [due(1_100_000), due(2_000_000), due(2_100_000), row(0, { dueUs: 2_200_000, sentUs: 2_207_000 })];
    expect(await countsOf([{ acceptingUs: null, readyUs: null }, second], rows)).toMatchObject([
      { dueInOutage: 4, latestUs: 7_000 },
      { dueInOutage: 2, latestUs: 7_000 },
    ]);
    const early = [due(1_100_000), row(0, { dueUs: 1_200_000, sentUs: 1_209_000 }), due(2_100_000)];
    expect(await countsOf([{ acceptingUs: null, readyUs: null }, second], early)).toMatchObject([
      { dueInOutage: 3, latestUs: 9_000 },
      { dueInOutage: 1, latestUs: 100 },
    ]);
  });

  it('counts who was in flight at SIGTERM: sent by then, and not done', async () => {
    const lives = [
      life(999_000, 1_000_001),
      life(1_000_000, 2_000_000),
      life(1_000_001, 2_000_000),
      life(999_000, 1_000_000),
      life(null, 2_000_000),
    ];
    const cases: [Case, number[]][] = [
      [{ rows: lives }, [2, 0]],
      [{ rows: [life(989_000, 995_000)] }, [0, 0]],
      [{ rows: [life(500_000, 1_500_000)] }, [1, 0]],
      [{ rows: [life(1_500_000, 2_500_000)] }, [0, 1]],
      [{ rows: [life(500_000, 2_500_000)] }, [1, 1]],
      [{ rows: [life(2_500_000, 2_600_000)] }, [0, 0]],
    ];
    const found = await answersOfEach(
      'restart-in-flight',
      cases.map(([one]) => one),
      { timeline: both },
    );
    const counts = found.map((rows) =>
      [1, 2].map((restart) => rows.find((one) => one['restart'] === restart)?.['inFlight'] ?? 0),
    );
    expect(counts).toEqual(cases.map(([, expected]) => expected));
  });

  it('counts them from what the deploy says where the process that is killed says nothing, and not where neither did', async () => {
    const rows = [life(989_000, 995_000)];
    // Retired at 0.99 s.
    expect(await countsOf([{ sigtermUs: null }], rows)).toMatchObject([{ inFlightAtSigterm: 1 }]);
    expect(await countsOf([{ sigtermUs: null, retireUs: null }, second], rows)).toMatchObject([
      { inFlightAtSigterm: null },
      { inFlightAtSigterm: 0 },
    ]);
  });

  it('owns a drop of whose life any part lies in its at-risk span, or after it until the next one begins', async () => {
    const drop = (dueUs: number, doneUs: number): Case => ({ rows: [badRow(0, { dueUs, doneUs })] });
    const cases: [Case, number][] = [
      [drop(500_000, 989_999), 0],
      [drop(500_000, 990_000), 1],
      [drop(1_759_999, 3_000_000), 1],
      [drop(1_760_000, 1_990_000), 1],
      [drop(2_000_000, 2_000_001), 2],
      // It met both, and is the first one's.
      [drop(1_700_000, 2_100_000), 1],
      [drop(2_900_000, 2_900_001), 2],
    ];
    const found = await answersOfEach(
      'restart-drops',
      cases.map(([one]) => one),
      { timeline: both },
    );
    expect(found.map(([one]) => one?.['restart'])).toEqual(cases.map(([, restart]) => restart));
  });

  it('counts its drops by method and connection, and those that lateness can cause', async () => {
    const timeout = { outcome: 'timeout', status: null } as const;
    const ledger = [
      badRow(50),
      badRow(180),
      badRow(181, { method: 'POST' }),
      badRow(182, { method: 'POST', ...timeout }),
      badRow(210, { connection: 'new' }),
      badRow(290, timeout),
      row(120),
      row(121, unsent),
    ];
    const { perRestart, all, droppedIfLate } = await summaryOf({ timeline: both, ledger });
    expect([all.dropped, droppedIfLate]).toEqual([6, 2]);
    // The one before every restart is no restart’s.
    expect(perRestart.map(({ dropped, droppedByKind, droppedIfLate: late }) => [dropped, late, droppedByKind])).toEqual(
      [
        [3, 1, { 'GET kept': 1, 'POST kept': 2 }],
        [2, 1, { 'GET new': 1, 'GET kept': 1 }],
      ],
    );
  });

  it('owns the waits of those due from its deploy on', async () => {
    const wait = (dueUs: number, waitUs: number): LedgerRow => row(0, { dueUs, doneUs: dueUs + waitUs });
    const rows = [wait(989_999, 9_000_000), wait(990_000, 8_000), wait(1_400_000, 7_000), wait(2_900_000, 6_000)];
    const { perRestart, longestWaitUs } = await summaryOf({ timeline: both, ledger: rows });
    expect(longestWaitUs).toBe(9_000_000);
    expect(perRestart.map((one) => one.longestWaitUs)).toEqual([8_000, 6_000]);
    expect(await countsOf([window], [badRow(140, { doneUs: 30_000_000 })])).toMatchObject([{ longestWaitUs: null }]);
  });

  it('knows nothing of an empty ledger', async () => {
    expect(await countsOf([window], [])).toEqual([
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
});

it('an old version is in rotation, in a swap, until the check may have seen that it left', async () => {
  const run = runRecord(resolveExperiment(e6, { changes: [] }));
  const asked = 'select outOfRotationUs from restarts';
  const [swap] = await answersOf(linesOf({ run, timeline: [...timeline, event('check-down', 1_800_000)] }), asked);
  expect(swap).toEqual([{ outOfRotationUs: 1_800_000 }]);
  const [restarted] = await answersOf(linesOf({ timeline }), asked);
  expect(restarted).toEqual([{ outOfRotationUs: 990_000 }]);
});

describe('the longest listen queue of each restart', () => {
  const sample = (atUs: number, port: number, waiting: number) => ({
    atMonotonicUs: originMonotonicUs + atUs,
    port,
    waiting,
  });

  it('is the most that waited at one of the site’s public ports, from a restart’s begin to before its end', async () => {
    const queues = [
      sample(989_999, 18_080, 90),
      sample(990_000, 18_080, 7),
      sample(1_300_000, 18_180, 6),
      sample(1_759_999, 18_080, 5),
      sample(1_760_000, 18_080, 90),
      sample(1_300_000, 22, 99),
      sample(2_499_999, 18_180, 8),
    ];
    // Of one colour the second port is none of the site's.
    const [ofOne] = await answersOf(linesOf({ timeline: both, queues }), 'restart-queues');
    expect(ofOne).toEqual([
      { restart: 1, longestQueue: 7 },
      { restart: 2, longestQueue: 0 },
    ]);
    const swap = runRecord(resolveExperiment(e6, { changes: [] }));
    const [ofTwo] = await answersOf(
      linesOf({ timeline, queues: [sample(1_300_000, 18_180, 6)], run: swap }),
      'restart-queues',
    );
    expect(ofTwo).toEqual([{ restart: 1, longestQueue: 6 }]);
  });

  it('is not known where nobody looked, and nothing where somebody looked at other ports', async () => {
    const [none] = await answersOf(linesOf({ timeline }), 'restart-queues');
    expect(none).toEqual([]);
    const [other] = await answersOf(linesOf({ timeline, queues: [sample(1_200_000, 22, 5)] }), 'restart-queues');
    expect(other).toEqual([{ restart: 1, longestQueue: 0 }]);
  });
});

describe('a service of your own', () => {
  it('was steady again after the last drop before it was called so', async () => {
    const restarts = [
      { restart: 1, deployBeginUs: 990_000, steadyUs: 1_400_000 },
      { restart: 2, deployBeginUs: 2_000_000 },
    ];
    const rows = [badRow(98), badRow(110), badRow(112), row(120), badRow(140), badRow(210)];
    expect(await answersOfEach('last-drop-before-steady', [{ rows, restarts }], { run: serviceRecord() })).toEqual([
      [{ restart: 1, lastUs: 1_120_000 }],
    ]);
  });
});
