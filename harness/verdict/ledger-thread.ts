/** The thread on which a long ledger is read and counted. */
import { parentPort, workerData } from 'node:worker_threads';
import { readLedgerRows } from '../run/read-ledger.ts';
import { batchesAhead, type LedgerMessage, type LedgerTask } from './ledger-reading.ts';
import { RowPacker } from './row-batch.ts';
import { RowCounts } from './row-counts.ts';

const port = parentPort;
if (port === null) throw new Error('ledger-thread runs as a worker thread only');

/** Batches that may be sent before one is taken. */
let free = batchesAhead;
let wake = (): void => undefined;
port.on('message', () => {
  free++;
  wake();
});

const { path, ...task } = workerData as LedgerTask;
const counts = new RowCounts(task);
const packer = new RowPacker();
const odd = new WeakSet<object>();
for await (const rows of readLedgerRows(path, (row) => odd.add(row))) {
  const faults = counts.add(rows);
  const batch = packer.pack(rows, (row) => odd.has(row));
  while (free === 0) await new Promise<void>((resolve) => (wake = resolve));
  free--;
  port.postMessage({ batch, faults } satisfies LedgerMessage, [batch.numbers.buffer, batch.places.buffer]);
}
port.postMessage({ isEnd: true } satisfies LedgerMessage);
port.postMessage({ counts: counts.result() } satisfies LedgerMessage);
port.close();
