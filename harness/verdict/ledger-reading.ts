/**
 * Reads a ledger once and counts it; a long one on a thread of its own, beside what is done with its rows, with the same
 * result.
 */
import { on } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Worker } from 'node:worker_threads';
import { readLedgerRows } from '../run/read-ledger.ts';
import type { LedgerRow } from '../run/ledger.ts';
import { startReadingThread } from './reading-thread.ts';
import { RowUnpacker, type RowBatch } from './row-batch.ts';
import { RowCounts, type AloneFaults, type Counts, type CountTask } from './row-counts.ts';

/** What is to be read. */
export interface LedgerTask extends CountTask {
  readonly path: string;
}

/** What the thread says: batch after batch, that it was the last one, and, when it has worked it out, what all of it came to. */
export type LedgerMessage =
  { readonly batch: RowBatch; readonly faults: AloneFaults } | { readonly isEnd: true } | { readonly counts: Counts };

/** Some rows, in the order of the ledger. */
export interface CheckedRows {
  readonly rows: readonly LedgerRow[];
  readonly faults: AloneFaults;
}

/** A shorter file, gzipped, is read before a thread has begun. */
const shortBytes = 4 * 1024 * 1024;
/** The thread is at most so many batches ahead, each of some hundred rows. */
export const batchesAhead = 4;
/** Young generation of the thread: rows are short-lived. */
const youngGenerationMb = 6;

/** A ledger that is being read. */
export class LedgerReading {
  private readonly task: LedgerTask;
  private readonly thread: Thread | null;
  private counted: Counts | null = null;
  /** The thread has given every row, and is working out its counts. */
  private hasGivenAll = false;

  private constructor(task: LedgerTask, thread: Thread | null) {
    this.task = task;
    this.thread = thread;
  }

  /** Begins at once, so that the first rows are there when they are asked for. */
  static async begin(task: LedgerTask, isLong?: boolean): Promise<LedgerReading> {
    const size = await stat(task.path).then(
      (found) => found.size,
      () => 0,
    );
    return new LedgerReading(task, (isLong ?? size > shortBytes) ? startThread(task) : null);
  }

  /**
   * All rows, in the order of the ledger; to be asked for once.
   * @throws {HarnessError} naming the file, and the line that is no row
   */
  async *rows(): AsyncGenerator<CheckedRows> {
    let given = 0;
    try {
      for await (const checked of this.thread === null ? [] : this.rowsThere(this.thread)) {
        given += checked.rows.length;
        yield checked;
      }
    } catch {
      // What is wrong with the file is said in full by who reads it here.
    }
    if (!this.hasGivenAll) yield* this.rowsHere(given);
  }

  private async *rowsThere({ worker, messages }: Thread): AsyncGenerator<CheckedRows> {
    const unpacker = new RowUnpacker();
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
      const [message] = next.value;
      if ('isEnd' in message) this.hasGivenAll = true;
      if (!('batch' in message)) return;
      worker.postMessage('taken');
      yield { rows: unpacker.unpack(message.batch), faults: message.faults };
    }
  }

  /** @param given how many rows have been given already */
  private async *rowsHere(given: number): AsyncGenerator<CheckedRows> {
    const counts = new RowCounts(this.task);
    let left = given;
    for await (const rows of readLedgerRows(this.task.path)) {
      const faults = counts.add(rows);
      if (left < rows.length) yield left === 0 ? { rows, faults } : fromRow(left, { rows, faults });
      left = Math.max(0, left - rows.length);
    }
    this.counted = counts.result();
  }

  /** What the rows came to, once all have been given; a thread works it out meanwhile. */
  async counts(): Promise<Counts> {
    if (this.counted === null && this.hasGivenAll) this.counted = await this.countsThere();
    if (this.counted === null) throw new Error('the ledger has not been read to its end');
    return this.counted;
  }

  private async countsThere(): Promise<Counts | null> {
    const next = await this.thread?.messages.next();
    return next?.done === false && 'counts' in next.value[0] ? next.value[0].counts : null;
  }

  /** Ends the thread, if there is one; to be called in any case. */
  async close(): Promise<void> {
    await this.thread?.worker.terminate();
  }
}

/** Without those before this index. */
function fromRow(first: number, { rows, faults }: CheckedRows): CheckedRows {
  const further = [...faults].filter(([index]) => index >= first);
  return { rows: rows.slice(first), faults: new Map(further.map(([index, wrong]) => [index - first, wrong])) };
}

interface Thread {
  readonly worker: Worker;
  readonly messages: AsyncIterator<[LedgerMessage]>;
}

function startThread(task: LedgerTask): Thread {
  const worker = startReadingThread(new URL('./ledger-thread.ts', import.meta.url), task, youngGenerationMb);
  const messages = on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[LedgerMessage]>;
  return { worker, messages: messages[Symbol.asyncIterator]() };
}
