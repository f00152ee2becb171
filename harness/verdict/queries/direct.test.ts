import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { SiteLine } from '../../run/files/site-log.ts';
import type { TimelineEvent } from '../../run/files/timeline.ts';
import type { RestartWindow } from '../restart-windows.ts';
import { row } from '../testing.ts';
import { answersOf, sharedRun } from '../testing-database.ts';
import { eventsOf, linesOf, originMonotonicUs, siteLineOf } from '../testing-folder.ts';
import { countDirect } from '../witnesses.ts';
import { queries } from './all.ts';

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

const all: Case[] = [];
const shared = sharedRun(() => ({
  direct: all.map(({ row: over }, seq) => probed(seq, over)),
  site: all.flatMap(({ row: over, site: lines = probed(0, over).outcome === 'ok' ? [{}] : [] }, seq) =>
    lines.map((line) => siteLineOf(probed(seq), line)),
  ),
}));

/** A test that holds what is told of these cases against what they say; all stand in one run. */
function itTells(title: string, cases: Record<string, Case>): void {
  const before = all.length;
  all.push(...Object.values(cases));
  it(title, async () => {
    const found = await shared().database.all(queries['direct-disagreements'].sql);
    const told = Object.keys(cases).map((name, nth) => {
      return [name, found.filter(({ seq }) => seq === before + nth).map(({ what }) => what)];
    });
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(cases).map(([name, { what }]) => [name, what === undefined ? [] : [what]])),
    );
  });
}

describe('the direct probe', () => {
  it('agrees with the site’s log, whatever the order of its rows', async () => {
    const rows = Array.from({ length: 10 }, (_, seq) => probed(seq, seq >= 4 && seq < 6 ? refused : {}));
    const lines = rows.filter(({ outcome }) => outcome === 'ok').map((one) => siteLineOf(one));
    const others = [siteLineOf(row(1)), siteLineOf(row(2), { request: null })];
    expect(await disagreementsOf(rows.toReversed(), [...others, ...lines])).toEqual([]);
    expect(await disagreementsOf([], [])).toEqual([]);
  });

  const cut = { outcome: 'cut' } as const;
  const otherwise = 'is ok, and the site answered otherwise';
  const process = 'was answered by another process';
  itTells('does not agree where either says what the other cannot', {
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

  const what = 'was under way at another time than the site read and answered it';
  /** Due at the case's zero, sent 100 µs later, done 1.9 ms after that; the site's stamps count from there, too. */
  const at = (receivedUs: number, answeredUs: number, doneUs = 2_000) => {
    const seq = lives++;
    const { dueUs } = probed(seq);
    const stamps = {
      receivedUs: originMonotonicUs + dueUs + receivedUs,
      answeredUs: originMonotonicUs + dueUs + answeredUs,
    };
    return { row: { doneUs: dueUs + doneUs }, site: [stamps] };
  };
  let lives = all.length;
  itTells('is read and answered while it is under way, give or take a millisecond: both stamp by one clock', {
    'as early and late as can be': at(-900, 3_000),
    'read too early': { ...at(-901, 3_000), what },
    'answered too late': { ...at(-900, 3_001), what },
    'at one moment': at(1_700, 1_700),
    'answered before it was read': { ...at(1_701, 1_700), what },
    'half a second later': at(1_400, 1_700, 501_700),
    'later than that': { ...at(1_400, 1_700, 501_701), what: 'had its answer long after the site gave it' },
  });

  it('has each row once, and none is missing', async () => {
    const seqs = Array.from({ length: 10 }, (_, seq) => seq);
    const lines = seqs.map((seq) => siteLineOf(probed(seq)));
    // 1 is there twice, 3 and 9 are gone, and 6 is another’s.
    const there = seqs.filter((seq) => seq !== 3 && seq !== 9);
    const rows = there.map((seq) => probed(seq, seq === 6 ? { requestId: 'x' } : {}));
    const found = await disagreementsOf([...rows, probed(1)], lines);
    const gone = "is in the site's log, and has no row";
    expect(found.toSorted((a, b) => Number(a['seq']) - Number(b['seq']))).toEqual([
      { seq: 1, what: 'is there more than once' },
      // Its line is held against each of its rows.
      { seq: 1, what: 'was answered 2 times' },
      { seq: 3, what: gone },
      { seq: 3, what: 'is missing' },
      { seq: 6, what: "has no line in the site's log" },
      { seq: 6, what: gone },
      { seq: 9, what: gone },
    ]);
  });

  it('may have an answer of a process that died of a signal before it wrote its line', async () => {
    // Requests 3, 103 and 203 are done 159 ms after the zero of theirs.
    const unlogged = [3, 103, 203];
    const rows = Array.from({ length: 210 }, (_, seq) => probed(seq));
    const lines = rows.filter(({ seq }) => !unlogged.includes(seq)).map((one) => siteLineOf(one));
    const killed = (restart: number, over: Partial<RestartWindow>): TimelineEvent[] => {
      const seen = { deployBeginUs: 90_000, retireUs: 100_000, exitUs: 160_000, acceptStoppedUs: 160_000, ...over };
      const zero = (restart - 1) * 5_000_000;
      return eventsOf({ ...seen, restart, sigtermUs: null }).map((one) => ({ ...one, atUs: one.atUs + zero }));
    };
    // The second closed its port before it died, and the third was told to go after the answer.
    const timeline = [killed(1, {}), killed(2, { acceptStoppedUs: 120_000 }), killed(3, { retireUs: 159_001 })].flat();
    const found = await disagreementsOf(
      rows,
      lines,
      timeline.toSorted((a, b) => a.atUs - b.atUs),
    );
    expect(found.map(({ seq }) => seq)).toEqual([103, 203]);
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
