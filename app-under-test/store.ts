/**
 * Notes in SQLite, by two threads: one writes, one reads. A write that waits for the database's lock (another process
 * may hold it) then blocks neither reads nor the answers to /livez. Writes are done one after another.
 */
import { Worker } from 'node:worker_threads';
import type { Identity } from './log.ts';
import type { Options } from './options.ts';

/** A note, as clients see it. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

/** What the store is opened with. */
export type StoreSettings = Pick<
  Options,
  'databasePath' | 'busyTimeoutMs' | 'synchronous' | 'transaction' | 'transactionHoldMs'
>;

/** The pragmas in effect, as SQLite reports them after they were set. */
export interface Pragmas {
  readonly journal_mode: string;
  /** 0 OFF, 1 NORMAL, 2 FULL, 3 EXTRA. */
  readonly synchronous: number;
  /** Milliseconds. */
  readonly busy_timeout: number;
  readonly foreign_keys: number;
}

/** What a thread is asked. It answers each in turn, with the same `call`. */
export type StoreRequest =
  | { readonly call: number; readonly kind: 'open' }
  | { readonly call: number; readonly kind: 'read'; readonly id: string }
  | {
      readonly call: number;
      readonly kind: 'write';
      readonly note: Note;
      readonly version: string;
      readonly instance: string;
      /** In place of the settings' hold: a long transaction, which takes the lock first whatever the settings say. */
      readonly holdMs: number | undefined;
    }
  | { readonly call: number; readonly kind: 'close' };

/** How long SQLite took to grant a write the database's lock. */
export interface WriteReport {
  readonly waitMs: number;
}

/** What a thread answers: the result of the kind asked (Pragmas, Note or undefined, WriteReport), or why not. */
export type StoreReply =
  { readonly call: number; readonly result: unknown } | { readonly call: number; readonly failure: StoreFailure };

/** Why a thread could not do as asked. */
export interface StoreFailure {
  /** SQLite's name of its primary result code where known (`SQLITE_BUSY`), else `SQLITE_ERROR`. */
  readonly code: string;
  readonly message: string;
  /** Of a write: how long it had waited for the lock. */
  readonly waitMs?: number | undefined;
}

/** The store refused or failed. `code` is SQLite's name, such as SQLITE_BUSY when the lock was not to be had in time. */
export class StoreError extends Error {
  readonly code: string;
  /** How long a refused write had waited for the lock; undefined where it was none. */
  readonly waitMs: number | undefined;

  constructor({ code, message, waitMs }: StoreFailure) {
    super(message);
    this.code = code;
    this.waitMs = waitMs;
  }
}

/** The site's notes. */
export type Store = ReturnType<typeof openStore>;

/** Starts the store's threads at once; await `opened` before use. */
export function openStore(settings: StoreSettings, identity: Identity) {
  const writer = startThread(settings);
  const reader = startThread(settings);
  // The writer first: it makes the file and the table that the reader needs.
  const opened = writer.ask({ kind: 'open' }).then(async (pragmas) => {
    await reader.ask({ kind: 'open' });
    return pragmas as Pragmas;
  });
  return {
    /** Resolves with the pragmas in effect once both threads can serve; rejects with StoreError if they cannot. */
    opened,
    /** The first note with this id, or undefined. Rejects with StoreError. */
    read: async (id: string) => (await reader.ask({ kind: 'read', id })) as Note | undefined,
    /**
     * Inserts one row; resolves after COMMIT. Rejects with StoreError: SQLITE_BUSY means it was not applied.
     * @param holdMs makes it a long transaction, which takes the lock and keeps it for so long
     */
    write: async (note: Note, holdMs?: number) =>
      (await writer.ask({ kind: 'write', note, holdMs, ...identity })) as WriteReport,
    /** Closes both connections, after the writes that were asked for before. May take as long as the lock is held. */
    close: async () => {
      // The writer last: the last connection that closes writes the log back into the database.
      await reader.ask({ kind: 'close' });
      await writer.ask({ kind: 'close' });
    },
  };
}

type Question = StoreRequest extends infer R ? (R extends StoreRequest ? Omit<R, 'call'> : never) : never;

function startThread(settings: StoreSettings): { ask(question: Question): Promise<unknown> } {
  const worker = new Worker(new URL('store-worker.ts', import.meta.url), { workerData: settings });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let calls = 0;
  let unsent: StoreRequest[] = [];
  // What one turn of the loop asks goes to the thread in one message: after a restart hundreds are asked at once.
  const send = () => {
    worker.postMessage(unsent);
    unsent = [];
  };
  let dead: StoreError | undefined;
  // Never expected. What was asked must still be answered, or its clients would wait for ever.
  const die = (message: string) => {
    dead = new StoreError({ code: 'SQLITE_ERROR', message });
    for (const { reject } of pending.values()) reject(dead);
    pending.clear();
  };
  worker.on('message', (reply: StoreReply) => {
    const asked = pending.get(reply.call);
    pending.delete(reply.call);
    if ('failure' in reply) asked?.reject(new StoreError(reply.failure));
    else asked?.resolve(reply.result);
  });
  worker.on('error', (error) => die(`a thread of the store failed: ${String(error)}`));
  worker.on('exit', () => die('the store is closed'));
  return {
    ask: async (question) => {
      if (dead !== undefined) throw dead;
      const answer = Promise.withResolvers<unknown>();
      const call = ++calls;
      pending.set(call, answer);
      if (unsent.length === 0) setImmediate(send);
      unsent.push({ ...question, call });
      return answer.promise;
    },
  };
}
