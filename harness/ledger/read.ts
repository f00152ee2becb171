/** Reads a ledger of any length. */
import type { LedgerRow } from '../load/row.ts';
import { gzippedRecords } from '../scenario/gzipped-lines.ts';

/**
 * The rows of a gzipped ledger, in the order in which they were settled.
 * @throws {HarnessError} naming the file, and the line that is no row
 */
export async function* readLedger(path: string): AsyncGenerator<LedgerRow> {
  for await (const rows of gzippedRecords<LedgerRow>(path)) yield* rows;
}
