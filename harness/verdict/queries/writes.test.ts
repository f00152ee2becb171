import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import e3 from '../../../experiments/E3-retry.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { plainOutcomes, type LedgerRow } from '../../run/files/ledger.ts';
import type { StoredNote } from '../../run/files/notes.ts';
import type { SiteLine } from '../../run/files/site-log.ts';
import { noteText } from '../../run/site-requests.ts';
import { row, runRecord, writes } from '../testing.ts';
import { answersOf, sharedRun } from '../testing-database.ts';
import {
  accessFieldsOf,
  eventsOf,
  failedTryLine,
  idOf,
  linesOf,
  originMonotonicUs,
  siteLineOf,
  type FolderContent,
} from '../testing-folder.ts';
import type { WritesVerdict } from '../record/verdict.ts';
import { countWrites } from '../witnesses.ts';
import { queries } from './all.ts';

const database = { integrity: 'ok', journalMode: 'wal', walBytes: 0 };
const post = (seq: number, over: Partial<LedgerRow> = {}): LedgerRow =>
  row(seq, { method: 'POST', path: '/notes', requestId: idOf(seq), status: 201, ...over });
/** Written at this time of the run. */
const note = (seq: number, over: Partial<StoredNote> = {}): StoredNote => ({
  id: idOf(seq),
  times: 1,
  versions: 'v0',
  writtenUs: originMonotonicUs + 1_000,
  ...over,
});

/** What the writes come to. */
async function writesOf(content: Partial<FolderContent>): Promise<WritesVerdict> {
  const names = ['writes', 'write-faults', 'note-faults', 'stored-texts', 'database-state', 'busy'] as const;
  const answers = await answersOf(linesOf({ database, ...content }), ...names.map((name) => queries[name].sql));
  const ask = async (name: string): Promise<never> =>
    Promise.resolve(answers[(names as readonly string[]).indexOf(name)] as never);
  const writes = await countWrites(
    ask,
    async function* (name) {
      yield await ask(name);
    },
    { isDemo: true, isCounted: true },
  );
  if (writes === null) throw new Error('the database was not read');
  return writes;
}

/** Known and fate of each write. */
async function fatesOf(content: Partial<FolderContent>): Promise<[known: unknown, fate: unknown][]> {
  const [rows] = await answersOf(linesOf({ database, ...content }), 'select known, fate from writes order by line');
  return rows.map(({ known, fate }) => [known, fate]);
}

const told: Required<Pick<FolderContent, 'ledger' | 'notes'>> & { site: SiteLine[] } = {
  ledger: [],
  site: [],
  notes: [],
};
const shared = sharedRun(() => ({ database, ...told }));

/** Takes writes into the run that tests share, while they are collected; gives known and fate of each. */
function takeWrites(rows: readonly LedgerRow[], site: readonly SiteLine[] = [], notes: readonly StoredNote[] = []) {
  const before = told.ledger.length;
  told.ledger.push(...rows);
  told.site.push(...site);
  told.notes.push(...notes);
  return async () => {
    const found = await shared().database.all('select known, fate from writes order by line');
    return found.slice(before, before + rows.length).map(({ known, fate }) => [known, fate]);
  };
}

describe('what the client knows of a write', () => {
  const outcomes = [...plainOutcomes, 'status-404', 'status-503', 'status-502', 'status-500', 'status-504'] as const;
  const byOutcome = takeWrites(outcomes.map((outcome, seq) => post(seq, { outcome })));
  it('is failed only where nothing can have been applied', async () => {
    const found = (await byOutcome()).map(([known], index) => [outcomes[index], known]);
    const failed = ['refused', 'connect-timeout', 'unreachable', 'local', 'unsent', 'status-404', 'status-503'];
    expect(found).toEqual(
      outcomes.map((outcome) => [
        outcome,
        ['ok', 'wrong'].includes(outcome) ? 'acknowledged' : failed.includes(outcome) ? 'failed' : 'indeterminate',
      ]),
    );
  });

  it('is failed where the proxy’s only try was refused, and not where it was reset or had tried before', async () => {
    const bad = [120, 140].map((seq) =>
      post(seq, { outcome: 'status-502', status: 502, version: null, instance: null }),
    );
    // The site itself answered; a try of another request was refused at that moment.
    const own = post(160, { outcome: 'status-500', status: 500 });
    const ledger = [...bad, own];
    const content = {
      ledger,
      access: ledger.map((one) => accessFieldsOf(one)),
      site: [siteLineOf(own)],
      timeline: eventsOf(),
      notes: ledger.map(({ seq }) => note(seq)),
      proxyLog: ledger.map(({ seq, doneUs }) => failedTryLine(doneUs - 200, seq === 140 ? 'EOF' : undefined)),
    };
    const unknown = ['indeterminate', 'recovered'];
    expect(await fatesOf(content)).toEqual([['failed', 'misattributed'], unknown, unknown]);
    const run = runRecord(resolveExperiment(e3, { changes: [] }));
    expect(await fatesOf({ ...content, run })).toEqual([unknown, unknown, unknown]);
  });
});

describe('a write that was acknowledged before it was written', () => {
  const answered = (answeredUs: number, over: Partial<SiteLine> = {}): Partial<SiteLine> => ({
    receivedUs: originMonotonicUs,
    answeredUs: originMonotonicUs + answeredUs,
    ...over,
  });
  const cut = { outcome: 'cut' } as const;
  const refused = { status: 503 };
  // All are written at 1000 µs.
  const cases: [site: Partial<SiteLine>[], fate: string, over?: Partial<LedgerRow>][] = [
    [[answered(999)], 'early'],
    [[answered(1_000)], 'stored'],
    [[answered(999, cut), answered(1_001)], 'stored'],
    [[answered(1_001), answered(999, cut)], 'stored'],
    [[answered(1_001), answered(999)], 'early'],
    // The last answer with the status that the client got.
    [[answered(999, refused), answered(1_001)], 'stored'],
    [[answered(1_001), answered(999, refused)], 'stored'],
    [[answered(999), answered(1_001, refused)], 'early'],
    [[answered(999)], 'recovered', { outcome: 'status-502' }],
    [[], 'stored'],
    [[answered(999)], 'lost', { requestId: idOf(999) }],
  ];
  const found = takeWrites(
    cases.map(([, , over], nth) => post(100 + nth, over)),
    cases.flatMap(([lines], nth) => lines.map((line) => siteLineOf(post(100 + nth), line))),
    cases.map((_, nth) => note(100 + nth)),
  );
  it('is one whose stamp in the database is later than the site’s own of the answer that the client got', async () => {
    expect((await found()).map(([, fate]) => fate)).toEqual(cases.map(([, fate]) => fate));
  });
});

describe('the check of the writes', () => {
  it('finds nothing wrong where ledger and database agree', async () => {
    const ledger = [post(0), post(1, { outcome: 'status-503' })];
    const busy = { ...writes.busy, longestWaitMs: 0 };
    const found = await writesOf({ ledger, notes: [note(0), note(0, { id: 'run-p1' })] });
    expect(found).toEqual({ ...writes, acknowledged: 1, failed: 1, busy });
  });

  it('names what is lost, duplicated, misattributed, altered and unexpected', async () => {
    const ledger = [
      post(0),
      post(1),
      post(2, { outcome: 'refused' }),
      post(3, { method: 'GET' }),
      post(4, { path: '/x' }),
      // Of these nobody can know: they are counted where they were applied.
      ...(['status-502', 'status-502', 'reset'] as const).map((outcome, nth) => post(10 + nth, { outcome })),
      ...[20, 21, 22, 23, 24].map((seq) => post(seq)),
    ];
    // The text of a note is known to whoever knows its id; an altered one is so whatever the client was told.
    const crc = (seq: number): string => String(crc32(noteText(idOf(seq))));
    const texts = [crc(20), '0', `${crc(22)},0`].map((textCrc32s, nth) => note(20 + nth, { textCrc32s }));
    const { examples, ...counts } = await writesOf({
      ledger,
      // The note of 24 has two lines.
      notes: [
        ...[note(1, { times: 2 }), note(2), note(9), note(3), note(4), note(10, { times: 3 })],
        ...[...texts, note(23), note(24), note(24)],
      ],
      database: { ...database, integrity: 'malformed' },
    });
    expect(counts).toMatchObject({
      acknowledged: 7,
      lost: 1,
      duplicated: 3,
      misattributed: 1,
      unexpected: 3,
      altered: 2,
    });
    expect(counts).toMatchObject({ indeterminate: 3, recovered: 1, integrity: 'malformed' });
    expect(examples).toEqual({
      altered: [idOf(21), idOf(22)],
      lost: [idOf(0)],
      early: [],
      duplicated: [idOf(1), idOf(10), idOf(24)],
      misattributed: [idOf(2)],
      // A write is a POST of a note and nothing else.
      unexpected: [idOf(9), idOf(3), idOf(4)],
    });
  });

  it('names up to ten of each kind, and counts all', async () => {
    const many = Array.from({ length: 12 }, (_, index) => index);
    const earlyUs = originMonotonicUs + 999;
    const { examples, ...counts } = await writesOf({
      ledger: [
        ...many.map((seq) => post(seq)),
        ...many.map((seq) => post(20 + seq, { outcome: 'refused' })),
        ...many.map((seq) => post(60 + seq)),
      ],
      notes: [
        ...many.map((seq) => note(20 + seq, { times: 2 })),
        ...many.map((seq) => note(40 + seq)),
        ...many.map((seq) => note(60 + seq)),
      ],
      site: many.map((seq) => siteLineOf(post(60 + seq), { receivedUs: originMonotonicUs, answeredUs: earlyUs })),
    });
    expect(counts).toMatchObject({ lost: 12, duplicated: 12, misattributed: 12, unexpected: 12, early: 12 });
    expect(Object.values(examples).map((ids) => ids.length)).toEqual([10, 10, 0, 10, 10, 10]);
    expect(examples.lost?.[9]).toBe(idOf(9));
  });

  it('counts SQLITE_BUSY and waits for the lock from the site’s log', async () => {
    const waits: [waitMs: number, code: string][] = [
      [0.02, 'OK'],
      // At 5 ms it is no wait yet.
      [5, 'OK'],
      [4_000, 'OK'],
      [20_010, 'SQLITE_BUSY'],
      [0.1, 'SQLITE_BUSY'],
    ];
    const site = [
      siteLineOf(row(9)),
      ...waits.map(([waitMs, code], seq) => siteLineOf(post(seq), { store: { waitMs, code } })),
    ];
    expect((await writesOf({ site })).busy).toEqual({
      refused: 2,
      shortestRefusalMs: 0.1,
      longestRefusalMs: 20_010,
      waits: 2,
      longestWaitMs: 20_010,
    });
  });
});
