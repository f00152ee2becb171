import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { RowPacker, RowUnpacker } from './row-batch.ts';
import { badRow, row } from './testing.ts';

const never: (row: LedgerRow) => boolean = () => false;

/** There and back, as from one thread to another. */
function passed(batches: readonly LedgerRow[][], packer = new RowPacker(), isOdd = never): LedgerRow[][] {
  const unpacker = new RowUnpacker();
  return batches.map((rows) => unpacker.unpack(structuredClone(packer.pack(rows, isOdd))));
}

const rows: LedgerRow[] = [
  row(0),
  row(1, { method: 'POST', path: '/notes', connection: 'new', connectedUs: 10_100, instance: 'i1', version: 'v1' }),
  badRow(2, { outcome: 'reset', status: null, error: 'read ECONNRESET', bytes: 7 }),
  badRow(3, { outcome: 'unsent', status: null, firstByteUs: null, sentUs: null, bodyCrc32: null }),
  row(4, { bodyCrc32: 0, bytes: 0, trial: 2, path: '/nötes' }),
  row(1_000_000_007),
];

describe('rows in columns', () => {
  it('are the same rows again', () => {
    const batches = [rows.slice(0, 2), [], rows.slice(2)];
    expect(passed(batches)).toEqual(batches);
  });

  it('have the fields in the order of the ledger, so that a row that is written again has the same text', () => {
    const text =
      '{"trial":1,"seq":5,"dueUs":50000,"sentUs":50100,"connectedUs":50200,"firstByteUs":51500,"doneUs":52000,' +
      '"method":"GET","path":"/notes/x","requestId":"run-1-5","connection":"new","outcome":"wrong","status":200,' +
      '"bytes":10,"bodyCrc32":7,"instance":"i","version":"v0","error":"none"}';
    expect(JSON.stringify(passed([[JSON.parse(text) as LedgerRow]]))).toBe(`[[${text}]]`);
  });

  it('keep an id that is not what its number says, and a row that may hold anything', () => {
    const other = row(8, { requestId: 'run-1-80' });
    const without = row(8, { requestId: '' });
    const strange = { ...row(9), seq: '9', note: [1] } as unknown as LedgerRow;
    const batches = [[other, row(8), without, strange]];
    expect(passed(batches, new RowPacker(), (one) => one === strange)).toEqual(batches);
    expect(new RowPacker().pack(batches[0] ?? [], never).odd).toEqual(
      new Map([
        [0, other],
        [2, without],
      ]),
    );
  });

  it('tell a word from none', () => {
    const batches = [[row(1, { error: '' }), row(2, { error: null, version: '' })], [row(3, { error: '' })]];
    expect(passed(batches)).toEqual(batches);
  });

  it('keep a row whole for which there is no place among the words', () => {
    const packer = new RowPacker(8);
    const batches = [
      [row(1), row(2, { path: '/a' })],
      [row(3, { path: '/b' }), row(4), row(5, { path: '/a' })],
    ];
    expect(passed(batches, packer)).toEqual(batches);
    // ok, GET, kept, what the ids begin with, version, instance and two paths: place 0 is that of no word.
    expect(packer.pack(batches[1] ?? [], never).odd.size).toBeGreaterThan(0);
  });
});
