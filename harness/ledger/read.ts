/** Reads a ledger of any length, a row at a time. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { exitCodes, HarnessError } from '../errors.ts';
import type { LedgerRow } from '../load/row.ts';

/**
 * The rows of a gzipped ledger, in the order in which they were settled.
 * @throws {HarnessError} naming the line that is no row
 */
export async function* readLedger(path: string): AsyncGenerator<LedgerRow> {
  const source = createReadStream(path);
  const unzipped = createGunzip();
  source.on('error', (error) => unzipped.destroy(error));
  const lines = createInterface({ input: source.pipe(unzipped), crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    try {
      yield JSON.parse(line) as LedgerRow;
    } catch (cause) {
      throw new HarnessError(`${path}: line ${number} is no row of a ledger.`, {
        exitCode: exitCodes.inconclusive,
        cause,
      });
    }
  }
}
