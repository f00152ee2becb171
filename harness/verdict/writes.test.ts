import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { plainOutcomes, type LedgerRow } from '../run/ledger.ts';
import type { Site } from './request-table.ts';
import { StaleCount } from './stale.ts';
import { row, window } from './testing.ts';
import { BusyCount, WriteCheck, writeOutcome } from './writes.ts';
import { noteText } from '../run/site-requests.ts';

const state = { integrity: 'ok', journalMode: 'wal', walBytes: 0 };
const note = (id: string, times = 1, writtenUs = 1_000) => ({ id, times, versions: 'v0', writtenUs });
const of = { idPrefix: 'run-1-', slots: 100 };
const post = (seq: number, over: Partial<LedgerRow> = {}): LedgerRow =>
  row(seq, { method: 'POST', path: '/notes', requestId: `run-1-${seq}`, ...over });

function check(notes: ReturnType<typeof note>[], rows: LedgerRow[]) {
  const writes = new WriteCheck(state, of);
  for (const one of notes) writes.addStored(one);
  for (const one of rows) writes.add(one, []);
  return writes.result();
}

describe('what the client knows of a write', () => {
  it('is failed only where nothing can have been applied', () => {
    const failed = [...plainOutcomes, 'status-404', 'status-503', 'status-502', 'status-500', 'status-504']
      .map((outcome) => outcome as LedgerRow['outcome'])
      .filter((outcome) => writeOutcome(outcome) === 'failed');
    expect(failed.sort()).toEqual(
      ['refused', 'connect-timeout', 'unreachable', 'local', 'unsent', 'status-404', 'status-503'].sort(),
    );
    expect(writeOutcome('wrong')).toBe('acknowledged');
    expect(writeOutcome('status-502')).toBe('indeterminate');
  });
});

/** A line of the site's log, as far as writes ask. */
const answered = (answeredUs: number, over: Partial<Site> = {}): Site => ({
  line: 1,
  method: 'POST',
  path: '/notes',
  status: 201,
  receivedUs: answeredUs - 500,
  answeredUs,
  version: 'v0',
  instance: 'i0',
  bodyCrc32: null,
  code: 'OK',
  isCut: false,
  ...over,
});

describe('a write that was acknowledged before it was written', () => {
  const early = (site: readonly Site[], over: Partial<LedgerRow> = {}, writtenUs = 1_000) => {
    const writes = new WriteCheck(state, of);
    writes.addStored(note('run-1-7', 1, writtenUs));
    writes.add(post(7, { status: 201, ...over }), site);
    return writes.result();
  };

  it('is one whose stamp in the database is later than the site’s own of its answer', () => {
    expect(early([answered(999)])).toMatchObject({ acknowledged: 1, early: 1, lost: 0 });
    expect(early([answered(999)]).examples.early).toEqual(['run-1-7']);
    expect(early([answered(1_000)])).toMatchObject({ acknowledged: 1, early: 0 });
  });

  it('is held against the answer that the client got, not against a try that was cut or answered otherwise', () => {
    expect(early([answered(999, { isCut: true }), answered(1_001)])).toMatchObject({ early: 0 });
    expect(early([answered(999, { status: 503 }), answered(1_001)])).toMatchObject({ early: 0 });
    expect(early([answered(1_001), answered(999, { isCut: true })])).toMatchObject({ early: 0 });
    expect(early([answered(1_001), answered(999, { status: 503 })])).toMatchObject({ early: 0 });
    expect(early([answered(1_001), answered(999)])).toMatchObject({ early: 1 });
  });

  it('is none without an answer, a line of the site, or a stamp', () => {
    expect(early([answered(999)], { outcome: 'status-502' })).toMatchObject({ early: 0, indeterminate: 1 });
    expect(early([])).toMatchObject({ early: 0 });
    expect(early([answered(999)], {}, Number.NaN)).toMatchObject({ early: 0 });
    expect(early([answered(999)], { requestId: 'run-1-8' })).toMatchObject({ early: 0, lost: 1 });
  });

  it('is named up to ten times, and always counted', () => {
    const writes = new WriteCheck(state, of);
    for (let seq = 0; seq < 12; seq++) {
      writes.addStored(note(`run-1-${seq}`));
      writes.add(post(seq, { status: 201 }), [answered(999)]);
    }
    expect(writes.result().early).toBe(12);
    expect(writes.result().examples.early).toHaveLength(10);
  });
});

describe('the check of the writes', () => {
  it('finds nothing wrong where ledger and database agree', () => {
    const result = check([note('run-1-0'), note('run-p1')], [post(0), post(1, { outcome: 'status-503' })]);
    expect(result).toMatchObject({
      acknowledged: 1,
      failed: 1,
      lost: 0,
      duplicated: 0,
      misattributed: 0,
      unexpected: 0,
    });
  });

  it('names what is lost, duplicated, misattributed and unexpected', () => {
    const result = check(
      [note('run-1-1', 2), note('run-1-2'), note('run-1-9')],
      [post(0), post(1), post(2, { outcome: 'refused' })],
    );
    expect(result).toMatchObject({ lost: 1, duplicated: 1, misattributed: 1, unexpected: 1 });
    expect(result.examples).toEqual({
      altered: [],
      lost: ['run-1-0'],
      early: [],
      duplicated: ['run-1-1'],
      misattributed: ['run-1-2'],
      unexpected: ['run-1-9'],
    });
  });

  it('holds nothing against a write of which nobody can know, and counts those that were applied', () => {
    const result = check(
      [note('run-1-0')],
      [post(0, { outcome: 'status-502' }), post(1, { outcome: 'status-502' }), post(2, { outcome: 'reset' })],
    );
    expect(result).toMatchObject({ indeterminate: 3, recovered: 1, lost: 0, misattributed: 0 });
  });

  it('are POSTs of notes and nothing else', () => {
    const others = [post(0, { method: 'GET' }), post(1, { path: '/other' })];
    expect(check([note('run-1-0'), note('run-1-1')], others)).toMatchObject({
      acknowledged: 0,
      lost: 0,
      unexpected: 2,
    });
  });

  it('are failed where a witness shows that the request never reached a backend', () => {
    const writes = new WriteCheck(state, of);
    writes.addStored(note('run-1-1'));
    for (const seq of [0, 1]) writes.add(post(seq, { outcome: 'status-502' }), [], true);
    expect(writes.result()).toMatchObject({ failed: 2, indeterminate: 0, misattributed: 1 });
  });

  it('are named up to ten of each kind, and all counted', () => {
    const many = Array.from({ length: 12 }, (_, index) => index);
    const result = check(
      [...many.map((seq) => note(`run-1-${20 + seq}`, 2)), ...many.map((seq) => note(`run-1-${40 + seq}`))],
      [...many.map((seq) => post(seq)), ...many.map((seq) => post(20 + seq, { outcome: 'refused' }))],
    );
    expect(result).toMatchObject({ lost: 12, duplicated: 12, misattributed: 12, unexpected: 12 });
    expect(Object.values(result.examples).map((ids) => ids.length)).toEqual([10, 0, 0, 10, 10, 10]);
    expect(result.examples.lost?.[9]).toBe('run-1-9');
  });

  it('finds a text that is not the one that was sent, whatever the client was told', () => {
    // The text of a note is known to whoever knows its id.
    const crc = (id: string): string => String(crc32(noteText(id)));
    const stored = (seq: number, textCrc32s: string) => ({ ...note(`run-1-${seq}`), textCrc32s });
    const sent = [0, 1, 2, 3].map((seq) => post(seq));
    const { altered, examples } = check(
      [stored(0, crc('run-1-0')), stored(1, '0'), stored(2, `${crc('run-1-2')},0`), note('run-1-3')],
      sent,
    );
    expect([altered, examples.altered]).toEqual([2, ['run-1-1', 'run-1-2']]);
  });

  it('knows a duplicate also of a write that was never acknowledged', () => {
    expect(check([note('run-1-0', 3)], [post(0, { outcome: 'closed' })])).toMatchObject({ duplicated: 1 });
  });

  it('knows a duplicate by its second line, and takes no count but one for no duplicate', () => {
    const twice = check([note('run-1-0'), note('run-1-1'), note('run-1-0')], [post(0), post(1)]);
    expect(twice).toMatchObject({ duplicated: 1, examples: { duplicated: ['run-1-0'] }, unexpected: 0, lost: 0 });
    for (const times of [0, -1, Number.NaN]) {
      expect(check([note('run-1-0', times)], [post(0)])).toMatchObject({ duplicated: 1 });
    }
  });
});

it('SQLITE_BUSY and waits for the lock are counted from the site’s log', () => {
  const busy = new BusyCount();
  const line = (waitMs: number, code: string) => busy.addLine({ store: { waitMs, code } });
  busy.addLine({});
  line(0.02, 'OK');
  // At 5 ms it is no wait yet.
  line(5, 'OK');
  line(4_000, 'OK');
  line(20_010, 'SQLITE_BUSY');
  line(0.1, 'SQLITE_BUSY');
  expect(busy.result()).toEqual({
    refused: 2,
    shortestRefusalMs: 0.1,
    longestRefusalMs: 20_010,
    waits: 2,
    longestWaitMs: 20_010,
  });
});

describe('stale answers', () => {
  const stale = (rows: LedgerRow[]): number => {
    const count = new StaleCount(4);
    for (const one of rows) count.add(one);
    return count.result([window], [1_000_000]);
  };
  const newer = row(0, { version: 'v1', sentUs: 1_100_000, doneUs: 1_200_000 });

  it('are those of the older version to requests sent after both', () => {
    const old = (sentUs: number): LedgerRow => row(1, { version: 'v0', sentUs });
    expect(stale([newer, old(1_300_000), old(1_250_000)])).toBe(2);
    // Sent before the newer version had answered, or before the older one was retired.
    expect(stale([newer, old(1_150_000)])).toBe(0);
    expect(stale([row(0, { version: 'v1', sentUs: 500_000, doneUs: 600_000 }), old(900_000), old(1_000_001)])).toBe(1);
  });

  it('are none while no newer version has answered', () => {
    expect(stale([row(1, { version: 'v0', sentUs: 5_000_000 })])).toBe(0);
  });
});
