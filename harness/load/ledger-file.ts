/** Writes ledger rows as they come, one line each, never holding more than a buffer of them. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { LedgerRow } from './row.ts';

/** A ledger being written. */
export interface LedgerFile {
  write(row: LedgerRow): void;
  /** Resolves when every row is in the file. */
  close(): Promise<void>;
}

/** Opens a new ledger; lines are in the order in which requests were settled. */
export function openLedgerFile(path: string): LedgerFile {
  const stream = createWriteStream(path);
  let error: Error | undefined;
  stream.on('error', (reason) => (error = reason));
  return {
    write: (row) => {
      stream.write(`${JSON.stringify(row)}\n`);
    },
    close: async () => {
      stream.end();
      if (error === undefined) await once(stream, 'close');
      if (error !== undefined) throw error;
    },
  };
}
