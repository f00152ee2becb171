/** Two sites behind one proxy: nothing that is one's is put on the other. */
import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { sumOf } from '../base/sums.ts';
import { seededRandom } from '../base/random.ts';
import { isDropped, type LedgerRow } from '../run/files/ledger.ts';
import type { TimelineEvent } from '../run/files/timeline.ts';
import type { RestartWindow } from './restart-windows.ts';
import { judgeRun } from './judge.ts';
import type { SiteVerdict, Verdict } from './record/verdict.ts';
import { badRow, row, runRecord, window } from './testing.ts';
import { sharedLedgers } from './testing-database.ts';
import {
  accessFieldsOf,
  event,
  eventsOf,
  failedTryLine,
  idOf,
  linesOf,
  originMonotonicUs,
  siteLineOf,
  writeFolder,
  type FolderContent,
} from './testing-folder.ts';

const run = runRecord(resolveExperiment(e1, { changes: [['sites.count', 2]] }));
/** The one deploy came to demo at 0.99 s, and to demo2 at 1.8 s, whose port was closed from 1.85 s to 2.35 s. */
const ofDemo2: RestartWindow = {
  ...window,
  restart: 2,
  site: 'demo2',
  siteBeginUs: 1_800_000,
  retireUs: 1_800_000,
  sigtermUs: 1_800_000,
  acceptStoppedUs: 1_850_000,
  exitUs: 1_900_000,
  deployEndUs: 2_000_000,
  acceptingUs: 2_350_000,
  readyUs: 2_350_100,
};
const named = (site: string, events: TimelineEvent[]): TimelineEvent[] => events.map((one) => ({ ...one, site }));
const timeline: TimelineEvent[] = [
  ...named('demo', eventsOf()),
  ...named('demo2', [...eventsOf(ofDemo2), event('site-begin', 1_800_000, { restart: 2 })]),
  // Nearer to the first and the last drop than what opened and closed the port, and of the other site.
  event('check-down', 1_060_000, { site: 'demo2' }),
  event('check-up', 2_340_000, { site: 'demo' }),
].sort((a, b) => a.atUs - b.atUs);

/** Slots take turns: the even ones are demo's. Of each two of a site the first writes. */
const isOfDemo = (seq: number): boolean => seq % 2 === 0;
const isPost = (seq: number): boolean => seq % 4 < 2;
function rowAt(seq: number, over: Partial<LedgerRow> = {}): LedgerRow {
  const { acceptStoppedUs, acceptingUs } = isOfDemo(seq) ? window : ofDemo2;
  const dueUs = seq * 10_000;
  const isOut = dueUs >= (acceptStoppedUs ?? 0) && dueUs < (acceptingUs ?? 0);
  const version = dueUs < (acceptStoppedUs ?? 0) ? 'v0' : 'v1';
  const asked = isPost(seq) ? ({ method: 'POST', path: '/notes', status: 201 } as const) : ({ method: 'GET' } as const);
  const answer = { requestId: idOf(seq), version, instance: version, ...asked };
  if (!isOut) return row(seq, { ...answer, ...over });
  return row(seq, { ...answer, outcome: 'status-502', status: 502, version: null, instance: null, ...over });
}

const noAnswer = { outcome: 'status-502', status: 502, version: null, instance: null } as const;
const spoilt: Record<number, Partial<LedgerRow>> = {
  // Of demo2 while only demo's port is closed: whose restart is it, and what explains it?
  131: noAnswer,
  // Of demo long after its restart, while demo2 is down.
  220: noAnswer,
  // The old version answers demo2 after demo's new one has answered, which is as it should be; and then demo.
  179: {},
  250: { version: 'v0', instance: 'v0' },
};
const portOf = (seq: number): number => (isOfDemo(seq) ? 18_080 : 18_081);
const refusedAt = (seq: number): string => `dial tcp 127.0.0.1:${portOf(seq)}: connect: connection refused`;

/** Half a millisecond after a try of demo was refused. */
const resetOf221 = 'read tcp 127.0.0.1:40000->127.0.0.1:18081: read: connection reset by peer';

function content(): FolderContent {
  const ledger = Array.from({ length: 300 }, (_, seq) => rowAt(seq, spoilt[seq]));
  const answered = ledger.filter(({ version }) => version !== null);
  const refused = ledger.filter(({ seq, version }) => version === null && seq !== 131 && seq !== 220);
  return linesOf({
    run,
    timeline,
    ledger,
    // Row 242 went to the other site.
    access: ledger.map((one) =>
      accessFieldsOf(one, { ServiceAddr: `127.0.0.1:${one.seq === 242 ? 18_081 : portOf(one.seq)}` }),
    ),
    site: answered.map((one) => siteLineOf(one)),
    proxyLog: refused.flatMap(({ seq, doneUs }) =>
      seq === 221
        ? [failedTryLine(doneUs - 700, refusedAt(220)), failedTryLine(doneUs - 200, resetOf221)]
        : failedTryLine(doneUs - 200, refusedAt(seq)),
    ),
    database: { integrity: 'ok', journalMode: 'wal', walBytes: 0 },
    notes: answered
      .filter(({ method }) => method === 'POST')
      .flatMap(({ seq, requestId, doneUs }) => {
        const own = isOfDemo(seq) ? 'demo' : 'demo2';
        // Row 240 was written to the other site's database, row 241 to both.
        const sites = seq === 240 ? ['demo2'] : seq === 241 ? ['demo', 'demo2'] : [own];
        const note = { id: requestId, times: 1, versions: 'v0', writtenUs: originMonotonicUs + doneUs - 400 };
        return sites.map((site) => ({ ...note, site }));
      }),
    queues: [
      { atMonotonicUs: originMonotonicUs + 1_700_000, port: 18_080, waiting: 1 },
      { atMonotonicUs: originMonotonicUs + 1_700_000, port: 18_081, waiting: 9 },
    ],
  });
}

describe('a run of two sites', () => {
  let verdict: Verdict;
  beforeAll(async () => {
    const folder = await writeFolder(content(), { isOfOneTest: false, isTimelineGiven: true });
    verdict = await judgeRun(folder);
    return () => rm(folder, { recursive: true });
  });
  const site = (name: string): SiteVerdict => {
    const found = verdict.perSite?.find((one) => one.site === name);
    return found ?? expect.fail(`no ${name}`);
  };

  it('names the site and the deploy of each restart, and when the deploy came to it', () => {
    expect(verdict.perRestart).toMatchObject([
      { restart: 1, site: 'demo', deploy: 1, deployBeginUs: 990_000, siteBeginUs: null },
      { restart: 2, site: 'demo2', deploy: 1, deployBeginUs: 990_000, siteBeginUs: 1_800_000 },
    ]);
  });

  it('puts a drop on no restart of the other site', () => {
    // Every second slot of 1.05 to 1.75 s, and row 220; of 1.85 to 2.35 s, and row 131.
    expect(verdict.perRestart.map((one) => [one.dueInOutage, one.droppedInRestart])).toEqual([
      [35, 36],
      [25, 26],
    ]);
    expect([verdict.dropped, verdict.droppedOutsideRestarts]).toEqual([62, 0]);
  });

  it('explains no drop by what happened to the other site, though its failed try was written just then', () => {
    expect(verdict.reconciliation.unexplainedRows).toEqual([131, 220]);
    expect(verdict.reconciliation.causes).toEqual({
      'refused: nobody listened at the backend’s port': 59,
      'reset: the backend’s connection ended before the answer': 1,
    });
  });

  it('takes an answer for stale only where a newer version of the same site had answered', () => {
    expect(verdict.stale).toBe(1);
  });

  it('tells where the proxy asked the backend of another site', () => {
    expect(verdict.reconciliation.disagreements).toMatchObject([
      { seq: 242, what: expect.stringContaining('the proxy asked 127.0.0.1:18081, of another site') as string },
    ]);
  });

  it('takes a note in the wrong database for lost, and for one that nobody sent there', () => {
    expect(verdict.writes).toMatchObject({ lost: 1, duplicated: 1, unexpected: 2, examples: { lost: [idOf(240)] } });
    expect(site('demo').writes).toMatchObject({ lost: 1, duplicated: 0, unexpected: 1 });
    expect(site('demo2').writes).toMatchObject({ lost: 0, duplicated: 1, unexpected: 1 });
  });

  it('has for each site its own silence, outage, queue and prediction', () => {
    // From the first slot that nobody answered (106 and 185) to the next that somebody did (176 and 235).
    expect([site('demo'), site('demo2')].map((one) => [one.gapMs, one.longestOutageMs])).toEqual([
      [700, 700],
      [500, 500],
    ]);
    expect(verdict.perRestart.map(({ longestQueue }) => longestQueue)).toEqual([1, 0]);
    // Half of 100 a second each.
    expect([site('demo'), site('demo2')].map(({ predicted }) => predicted.dropped)).toEqual([35, 25]);
    expect(site('demo2').predicted.formula).toContain('50/s × 0.500 s (1 windows) = 25.0');
    expect(verdict.predicted).toMatchObject({ dropped: 60, formula: expect.stringContaining('2 sites') as string });
  });

  it('adds up to the whole', () => {
    const sites = verdict.perSite ?? [];
    const sum = (of: (one: SiteVerdict) => number): number => sumOf(sites, of);
    const { atRisk, writes } = verdict;
    for (const figure of ['due', 'sent', 'dropped', 'restarts', 'badRestarts'] as const) {
      expect([figure, sum((one) => one[figure])]).toEqual([figure, verdict[figure]]);
    }
    expect([sum((one) => one.atRisk.due), sum((one) => one.atRisk.dropped)]).toEqual([atRisk.due, atRisk.dropped]);
    const fates = ['acknowledged', 'failed', 'indeterminate', 'lost', 'early', 'misattributed'] as const;
    for (const fate of [...fates, 'duplicated', 'unexpected'] as const) {
      expect([fate, sum((one) => one.writes?.[fate] ?? 0)]).toEqual([fate, writes?.[fate]]);
    }
    expect(Math.max(...sites.map((one) => one.longestWaitMs ?? 0))).toBe(verdict.longestWaitMs);
  });

  it('opens a window of drops with an event of the site whose drop was first, and closes it with one of the last', () => {
    expect(verdict.dropWindows).toMatchObject([
      {
        dropped: 62,
        openedBy: { kind: 'accept-stopped', site: 'demo' },
        closedBy: { kind: 'accepting', site: 'demo2' },
      },
    ]);
  });
});

describe('any ledger of two sites', () => {
  const random = seededRandom(1, 'ledgers of two sites');
  const two = sharedLedgers(() => ({ run, timeline }));
  const outcomes = ['ok', 'ok', 'ok', 'status-502', 'timeout', 'unsent', 'local'] as const;
  const ledgers = Array.from({ length: 5 }, () =>
    Array.from({ length: 300 }, (_, seq) => seq)
      .filter(() => random() < 0.3)
      .map((seq) => {
        const outcome = outcomes[Math.floor(random() * outcomes.length)] ?? 'ok';
        return outcome === 'ok'
          ? rowAt(seq, { outcome })
          : badRow(seq, { outcome, ...(outcome === 'unsent' && { sentUs: null }) });
      }),
  );
  const wholes = ledgers.map((rows) => two.summary(rows));
  const [bySite, atRisk, drops] = (['site-outcomes', 'site-at-risk', 'restart-drops'] as const).map((name) =>
    two.answers(
      name,
      ledgers.map((rows) => ({ rows })),
    ),
  );
  /** Of the rows of this site, restart or any. */
  const total = (
    rows: readonly Record<string, unknown>[] = [],
    figure: string,
    of: Record<string, unknown> = {},
  ): number =>
    sumOf(rows, (one) => (Object.entries(of).every(([key, value]) => one[key] === value) ? Number(one[figure]) : 0));

  it('counts each request for one site, and each drop for a restart of its site or none', async () => {
    const [outcomesOf = [], risksOf = [], dropsOf = []] = await Promise.all([bySite?.(), atRisk?.(), drops?.()]);
    for (const [index, whole] of (await Promise.all(wholes.map((ask) => ask()))).entries()) {
      const [found, risks, rows] = [outcomesOf[index], risksOf[index], ledgers[index] ?? []];
      expect([total(found, 'due'), total(found, 'sent')]).toEqual([whole.all.due, whole.all.sent]);
      expect(total(found, 'due', { site: 'demo' })).toBe(rows.filter(({ seq }) => isOfDemo(seq)).length);
      expect([total(risks, 'due'), total(risks, 'dropped')]).toEqual([whole.atRisk.due, whole.atRisk.dropped]);
      // Of demo, whose drops are in even slots, restart 1; before the deploy there is none.
      const since = rows.filter(
        ({ outcome, doneUs, dueUs }) => isDropped(outcome) && doneUs >= 990_000 && dueUs >= 990_000,
      );
      const ofDemo = since.filter(({ seq }) => isOfDemo(seq)).length;
      const dropped = [1, 2].map((restart) => total(dropsOf[index], 'dropped', { restart }));
      expect(dropped).toEqual([ofDemo, since.length - ofDemo]);
    }
  });
});
