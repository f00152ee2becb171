/** Reads a ledger row by row, for those who need no database of it. */
import { recordIn } from './files/fields.ts';
import { gzippedLines } from './gzipped-lines.ts';
import { ledgerFile, type LedgerRow } from './files/ledger.ts';

/**
 * The rows of a gzipped ledger, in the order in which they were settled.
 * @throws {HarnessError} naming the file, and the line that is no row
 */
export async function* readLedger(path: string): AsyncGenerator<LedgerRow> {
  for await (const rows of readLedgerRows(path)) yield* rows;
}

/** The same, many rows at a time: a promise for each takes longer than what is done with it. */
export async function* readLedgerRows(path: string): AsyncGenerator<LedgerRow[]> {
  let line = 0;
  for await (const lines of gzippedLines(path)) {
    yield lines.map((text) => recordIn(ledgerFile, text, { path, line: ++line }));
  }
}
