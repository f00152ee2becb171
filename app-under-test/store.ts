/**
 * Notes in SQLite, by two threads: one writes, one reads. A write that waits for the database's lock (another process
 * may hold it) then blocks neither reads nor the answers to /livez. Writes are done one after another.
 */
import { Worker } from 'node:worker_threads';
import type { Identity } from './log.ts';
import type {
  Note,
  Pragmas,
  StoreFailure,
  StoreReply,
  StoreRequest,
  StoreSettings,
  WriteReport,
} from './store-messages.ts';

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
export interface Store {
  /** Resolves with the pragmas in effect once both threads can serve; rejects with StoreError if they cannot. */
  readonly opened: Promise<Pragmas>;
  /** The first note with this id, or undefined. Rejects with StoreError. */
  read(id: string): Promise<Note | undefined>;
  /**
   * Inserts one row; resolves after COMMIT. Rejects with StoreError: SQLITE_BUSY means it was not applied.
   * @param holdMs makes it a long transaction, which takes the lock and keeps it for so long
   */
  write(note: Note, holdMs?: number): Promise<WriteReport>;
  /** Closes both connections, after the writes that were asked for before. May take as long as the lock is held. */
  close(): Promise<void>;
}

/** Starts the store's threads at once; await `opened` before use. */
export function openStore(settings: StoreSettings, identity: Identity): Store {
  const writer = startThread(settings);
  const reader = startThread(settings);
  // The writer first: it makes the file and the table that the reader needs.
  const opened = writer.ask({ kind: 'open' }).then(async (pragmas) => {
    await reader.ask({ kind: 'open' });
    return pragmas as Pragmas;
  });
  return {
    opened,
    read: async (id) => (await reader.ask({ kind: 'read', id })) as Note | undefined,
    write: async (note, holdMs) => (await writer.ask({ kind: 'write', note, holdMs, ...identity })) as WriteReport,
    close: async () => {
      // The writer last: the last connection that closes writes the log back into the database.
      await reader.ask({ kind: 'close' });
      await writer.ask({ kind: 'close' });
    },
  };
}

type Question = StoreRequest extends infer R ? (R extends StoreRequest ? Omit<R, 'call'> : never) : never;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

function startThread(settings: StoreSettings): { ask(question: Question): Promise<unknown> } {
  const worker = new Worker(new URL('store-worker.ts', import.meta.url), { workerData: settings });
  const pending = new Map<number, Pending>();
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
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (dead !== undefined) {
          reject(dead);
          return;
        }
        const call = ++calls;
        pending.set(call, { resolve, reject });
        if (unsent.length === 0) setImmediate(send);
        unsent.push({ ...question, call });
      }),
  };
}
