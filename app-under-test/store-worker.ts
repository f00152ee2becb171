/**
 * One thread of the store: it has the only connection it uses, and does one thing after another. node:sqlite blocks its
 * thread while it waits for the database's lock (up to busy_timeout), which is why this is not the main thread.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from './clock.ts';
import type { Note, Pragmas, StoreFailure, StoreReply, StoreRequest, StoreSettings, WriteReport } from './store.ts';

// No unique index: a write that is applied twice must stay visible to whoever counts the rows.
const schema = `
  CREATE TABLE IF NOT EXISTS notes (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, text TEXT NOT NULL, version TEXT, instance TEXT, atUs INTEGER
  );
  CREATE INDEX IF NOT EXISTS notes_by_id ON notes (id);
`;

interface Connection {
  readonly database: DatabaseSync;
  readonly pragmas: Pragmas;
  readonly select: StatementSync;
  readonly insert: StatementSync;
  /** Any read of what is written: it takes the snapshot that a deferred transaction upgrades. */
  readonly last: StatementSync;
}

const settings = workerData as StoreSettings;
let connection: Connection | undefined;

parentPort?.on('message', (requests: readonly StoreRequest[]) => {
  for (const request of requests) {
    // Each reply leaves before the next request is begun, which may wait for the lock.
    parentPort?.postMessage(replyTo(request));
    // Nothing more will be asked: the thread ends, so that exit need not wait for it.
    if (request.kind === 'close') parentPort?.close();
  }
});

function replyTo(request: StoreRequest): StoreReply {
  try {
    return { call: request.call, result: perform(request) };
  } catch (error) {
    return { call: request.call, failure: failureOf(error) };
  }
}

function perform(request: StoreRequest): unknown {
  switch (request.kind) {
    case 'open':
      connection ??= open();
      return connection.pragmas;
    case 'read':
      return read(opened(), request.id);
    case 'write':
      return write(opened(), request);
    case 'close':
      connection?.database.close();
      connection = undefined;
      return undefined;
  }
}

function opened(): Connection {
  if (connection === undefined) throw new Error('the database is not open');
  return connection;
}

function open(): Connection {
  // The timeout applies from the first statement on: the change to WAL needs a lock, once in a database's life.
  const database = new DatabaseSync(settings.databasePath, { timeout: Math.round(settings.busyTimeoutMs) });
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${settings.synchronous}`);
  database.exec(`PRAGMA busy_timeout = ${Math.round(settings.busyTimeoutMs)}`);
  database.exec('PRAGMA foreign_keys = ON');
  database.exec(schema);
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  return {
    database,
    pragmas: {
      journal_mode: String(pragma('journal_mode')),
      synchronous: Number(pragma('synchronous')),
      busy_timeout: Number(pragma('busy_timeout')),
      foreign_keys: Number(pragma('foreign_keys')),
    },
    select: database.prepare('SELECT id, text FROM notes WHERE id = ? ORDER BY seq LIMIT 1'),
    last: database.prepare('SELECT max(seq) FROM notes'),
    insert: database.prepare('INSERT INTO notes (id, text, version, instance, atUs) VALUES (?, ?, ?, ?, ?)'),
  };
}

function read({ select }: Connection, id: string): Note | undefined {
  const row = select.get(id);
  return row && { id: String(row['id']), text: String(row['text']) };
}

function write(
  { database, insert, last }: Connection,
  { note, version, instance, holdMs }: StoreRequest & { kind: 'write' },
): WriteReport {
  // IMMEDIATE takes the write lock first, and waits for it. DEFERRED reads first: its upgrade to a write is refused at
  // once when another process has the lock, or has written since; busy_timeout or not.
  const isDeferred = settings.transaction === 'deferred' && holdMs === undefined;
  const beganUs = monotonicUs();
  let waitMs = 0;
  const locked = (sinceUs: number) => (waitMs = (monotonicUs() - sinceUs) / 1000);
  try {
    database.exec(isDeferred ? 'BEGIN DEFERRED' : 'BEGIN IMMEDIATE');
    if (isDeferred) last.get();
    else locked(beganUs);
    pause(holdMs ?? settings.transactionHoldMs);
    const insertUs = monotonicUs();
    try {
      insert.run(note.id, note.text, version, instance, monotonicUs());
    } finally {
      if (isDeferred) locked(insertUs);
    }
    database.exec('COMMIT');
    return { waitMs };
  } catch (error) {
    if (!isDeferred && waitMs === 0) locked(beganUs);
    if (database.isTransaction) database.exec('ROLLBACK');
    throw Object.assign(error as Error, { waitMs });
  }
}

const neverWoken = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  if (ms > 0) Atomics.wait(neverWoken, 0, 0, ms);
}

const primaryCodes: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
};

function failureOf(error: unknown): StoreFailure {
  const { message, errcode, waitMs } = error as Error & { readonly errcode?: number; readonly waitMs?: number };
  // An extended result code holds its primary one in the lowest byte (sqlite.org/rescode.html).
  return { code: primaryCodes[(errcode ?? 0) & 0xff] ?? 'SQLITE_ERROR', message, waitMs };
}
