import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../run/files/ledger.ts';
import type { Ask } from '../ledger-summary.ts';
import { badRow, row } from '../testing.ts';
import { sharedLedgers } from '../testing-database.ts';
import { keptReuseNote, keptReuseOf } from './kept-reuse.ts';

describe('kept connections', () => {
  const ledgers = sharedLedgers();
  const opened = (seq: number, over: Partial<LedgerRow> = {}): LedgerRow =>
    row(seq, { connectedUs: seq * 10_000 + 200, ...over });

  const found = ledgers.answers('kept-reuse', [
    { rows: [] },
    { rows: [opened(0), row(1), badRow(2), opened(3, { connection: 'new' }), badRow(4, { status: null })] },
  ]);
  it('are counted by the answers that came on one used before, of any status', async () => {
    expect(await found()).toEqual([[{ answered: 0, reused: 0 }], [{ answered: 3, reused: 2 }]]);
  });

  const of = (answered: number): ReturnType<typeof keptReuseOf> =>
    keptReuseOf((async () => Promise.resolve([{ answered, reused: 0 }])) as unknown as Ask);
  it('are not told of where none was answered', async () => {
    expect(await of(0)).toBeUndefined();
    expect(await of(1)).toEqual({ answered: 1, reused: 0 });
  });

  it('have a note where more than half of the answers had to open one', () => {
    expect(keptReuseNote(undefined)).toBe(false);
    expect(keptReuseNote({ answered: 10, reused: 5 })).toBe(false);
    expect(keptReuseNote({ answered: 10, reused: 4 })).toMatch(/hardly tested: .*4 of 10 /u);
    expect(keptReuseNote({ answered: 229, reused: 0 })).toMatch(/not tested: .*0 of 229 /u);
  });
});
