import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { SiteLine } from '../../run/files/site-log.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import { row } from '../testing.ts';
import { answersOf } from '../testing-database.ts';
import { eventsOf, linesOf, originMonotonicUs, siteLineOf } from '../testing-folder.ts';
import { countDirect } from '../witnesses.ts';

/** Request `seq` of a probe of twenty a second that began 7 ms after the load. */
function probed(seq: number, over: Partial<LedgerRow> = {}): LedgerRow {
  const dueUs = 7_000 + seq * 50_000;
  const requestId = `20261123T120000Z-abcd-direct-1-${seq}`;
  return row(seq, {
    dueUs,
    requestId,
    path: '/livez',
    connection: 'new',
    connectedUs: dueUs + 300,
    bodyCrc32: 9,
    ...over,
  });
}

const unanswered = { status: null, version: null, instance: null, firstByteUs: null, bodyCrc32: null } as const;
const refused: Partial<LedgerRow> = {
  ...unanswered,
  connectedUs: null,
  outcome: 'refused',
  error: 'ECONNREFUSED, connect',
};

/** A row, what the site has of it (nothing where it was not ok, unless said), and what is told of both. */
interface Case {
  readonly row?: Partial<LedgerRow>;
  readonly site?: readonly Partial<SiteLine>[];
  readonly what?: string;
}

async function disagreementsOf(rows: readonly LedgerRow[], site: readonly SiteLine[], timeline: TimelineEvent[] = []) {
  const [found] = await answersOf(linesOf({ direct: [...rows], site: [...site], timeline }), 'direct-disagreements');
  return found;
}

async function expectTold(cases: Record<string, Case>, timeline?: TimelineEvent[]): Promise<void> {
  const rows = Object.values(cases).map(({ row: over }, seq) => probed(seq, over));
  const site = Object.values(cases).flatMap(({ site: lines }, seq) => {
    const one = rows[seq] ?? probed(seq);
    const own = one.outcome === 'ok' ? [{}] : [];
    return (lines ?? own).map((over) => siteLineOf(probed(seq), over));
  });
  const found = await disagreementsOf(rows, site, timeline);
  const told = Object.entries(cases).flatMap(([name, { what }], seq) =>
    what === undefined ? [] : [{ name, seq, what }],
  );
  expect(found.map((one) => ({ name: Object.keys(cases)[Number(one['seq'])], ...one }))).toEqual(told);
}

describe('the direct probe', () => {
  it('agrees with the site’s log, whatever the order of its rows', async () => {
    const rows = Array.from({ length: 10 }, (_, seq) => probed(seq, seq >= 4 && seq < 6 ? refused : {}));
    const lines = rows.filter(({ outcome }) => outcome === 'ok').map((one) => siteLineOf(one));
    const others = [siteLineOf(row(1)), siteLineOf(row(2), { request: null })];
    expect(await disagreementsOf(rows.toReversed(), [...others, ...lines])).toEqual([]);
    expect(await disagreementsOf([], [])).toEqual([]);
  });

  it('does not where either says what the other cannot', async () => {
    const cut = { outcome: 'cut' } as const;
    const otherwise = 'is ok, and the site answered otherwise';
    const process = 'was answered by another process';
    await expectTold({
      'a refused row made ok': { site: [], what: "has no line in the site's log" },
      'an ok row made refused': { row: refused, site: [{}], what: 'is refused, and the site read it' },
      'an ok row made unsent': {
        row: { ...refused, outcome: 'unsent' },
        site: [{}],
        what: 'is unsent, and the site read it',
      },
      'another status': { row: { status: 204 }, what: otherwise },
      'an ok row made 503': {
        row: { outcome: 'status-503', status: 503 },
        site: [{}],
        what: 'is status-503, and the site answered otherwise',
      },
      'a line that was cut': { site: [cut], what: otherwise },
      'another version': { row: { version: 'v7' }, what: process },
      'another instance': { row: { instance: 'x' }, site: [{ instance: 'i' }], what: process },
      'another body': { row: { bodyCrc32: 8 }, what: 'has another body than the site sent' },
      'a line twice': { site: [{}, {}], what: 'was answered 2 times' },
      'it was reset, with a line': { row: { ...unanswered, outcome: 'reset' }, site: [{}] },
      'it was closed, without one': { row: { ...unanswered, outcome: 'closed' } },
      'it timed out, and was cut': { row: { ...unanswered, outcome: 'timeout' }, site: [cut] },
    });
  });

  it('is read and answered while it is under way, give or take a millisecond: both stamp by one clock', async () => {
    // Request n is sent at n × 50 + 7.1 ms, and done 1.9 ms later.
    const at = (seq: number, receivedUs: number, answeredUs: number): Partial<SiteLine>[] => {
      const zero = originMonotonicUs + seq * 50_000;
      return [{ receivedUs: zero + receivedUs, answeredUs: zero + answeredUs }];
    };
    const what = 'was under way at another time than the site read and answered it';
    await expectTold({
      'as early and late as can be': { site: at(0, 6_100, 10_000) },
      'read too early': { site: at(1, 6_099, 10_000), what },
      'answered too late': { site: at(2, 6_100, 10_001), what },
      'at one moment': { site: at(3, 8_700, 8_700) },
      'answered before it was read': { site: at(4, 8_701, 8_700), what },
      // The site answered at 8.7 ms.
      'half a second later': { row: { doneUs: 5 * 50_000 + 508_700 }, site: at(5, 8_400, 8_700) },
      'later than that': {
        row: { doneUs: 6 * 50_000 + 508_701 },
        site: at(6, 8_400, 8_700),
        what: 'had its answer long after the site gave it',
      },
    });
  });

  it('has each row once, and none is missing', async () => {
    const rows = [0, 1, 2, 3, 4, 5].map((seq) => probed(seq));
    const lines = rows.map((one) => siteLineOf(one));
    expect(await disagreementsOf([...rows, probed(3)], lines)).toContainEqual({
      seq: 3,
      what: 'is there more than once',
    });
    const without = await disagreementsOf(
      rows.filter(({ seq }) => seq !== 2 && seq !== 5),
      lines,
    );
    expect(without).toEqual([
      { seq: 2, what: "is in the site's log, and has no row" },
      { seq: 2, what: 'is missing' },
      { seq: 5, what: "is in the site's log, and has no row" },
    ]);
    const renamed = await disagreementsOf([...rows.slice(0, 5), probed(5, { requestId: 'x' })], lines);
    expect(renamed.map(({ what }) => what)).toEqual([
      "has no line in the site's log",
      "is in the site's log, and has no row",
    ]);
  });

  it('may have an answer of a process that died of a signal before it wrote its line', async () => {
    // Request 3 is done at 159 ms.
    const rows = [0, 1, 2, 3].map((seq) => probed(seq));
    const lines = rows.slice(0, 3).map((one) => siteLineOf(one));
    const killed = (over: object): TimelineEvent[] =>
      eventsOf({
        deployBeginUs: 90_000,
        retireUs: 100_000,
        sigtermUs: null,
        exitUs: 160_000,
        acceptStoppedUs: 160_000,
        ...over,
      }).toSorted((a, b) => a.atUs - b.atUs);
    expect(await disagreementsOf(rows, lines, killed({}))).toEqual([]);
    expect(await disagreementsOf(rows, lines, killed({ acceptStoppedUs: 120_000 }))).toHaveLength(1);
    expect(await disagreementsOf(rows, lines, killed({ retireUs: 159_001 }))).toHaveLength(1);
  });

  it('comes to its outcomes and its longest wait; its own faults are no drops', async () => {
    const direct = [
      row(0),
      row(1, { outcome: 'unsent', sentUs: null, doneUs: 9e6 }),
      row(2, { outcome: 'reset', doneUs: 9e6 }),
    ];
    const [counts, none] = await answersOf(linesOf({ direct }), 'direct', 'select * from direct where false');
    expect(await countDirect(async () => Promise.resolve(counts as never), 20)).toEqual({
      ratePerSecond: 20,
      due: 3,
      dropped: 1,
      outcomes: { ok: 1, unsent: 1, reset: 1 },
      longestWaitMs: 2,
    });
    expect((await countDirect(async () => Promise.resolve(none as never), 20))?.longestWaitMs).toBeNull();
  });
});
