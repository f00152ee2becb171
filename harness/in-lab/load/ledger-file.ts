/** Writes ledger rows as they come, one line each, never holding more than a buffer of them. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { HoldRow } from '../../run/files/holds.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';

/** Rows are handed to the kernel together this often: one by one they would cost a tenth of a core. */
const flushEveryMs = 50;

/** Opens a new ledger, of requests or of held connections; lines are in the order in which they were settled. */
export function openLedgerFile(path: string) {
  const stream = createWriteStream(path);
  let error: Error | undefined;
  stream.on('error', (reason) => (error = reason));
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length > 0) stream.write(lines.join(''));
    lines = [];
  };
  const flushing = setInterval(flush, flushEveryMs);
  return {
    write: (row: LedgerRow | HoldRow): void => void lines.push(`${JSON.stringify(row)}\n`),
    /** Resolves when every row is in the file. */
    close: async (): Promise<void> => {
      clearInterval(flushing);
      flush();
      stream.end();
      if (error === undefined) await once(stream, 'close');
      if (error !== undefined) throw error;
    },
  };
}
