/** What the main thread and the two threads of the store say to each other. */
import type { Synchronous, TransactionMode } from './options.ts';

/** A note, as clients see it. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

/** What the store is opened with. */
export interface StoreSettings {
  readonly path: string;
  readonly busyTimeoutMs: number;
  readonly synchronous: Synchronous;
  readonly transaction: TransactionMode;
  /** How long a write works between the beginning of its transaction and its INSERT. */
  readonly transactionHoldMs: number;
}

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
  readonly waitMs?: number;
}
