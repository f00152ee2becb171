/** A run as a database: DuckDB, in this process, reads the run's files as tables (tables.ts). */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DuckDBInstance,
  DuckDBListValue,
  DuckDBStructValue,
  INTEGER,
  LIST,
  StatementType,
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBValue,
} from '@duckdb/node-api';
import { HarnessError, messageOf } from '../base/errors.ts';
import { scratchFolder } from '../base/scratch-folder.ts';
import { damageIn, recordIn } from './files/fields.ts';
import { gzippedLines, unpackTo } from './gzipped-lines.ts';
import { mostLineBytes, oneLine, openPlainFile, plainText, refused } from './plain-file.ts';
import { slotsOf, type RunRecord } from './run-record.ts';
import { quoted, runConstants, runTables, type RunTable } from './tables.ts';

/** What is beyond this is spilt into the temporary folder. */
const memoryLimit = '256MiB';
/** A longer run is kept on disk. */
const mostSlotsInMemory = 100_000;
/** A file up to this size is held against its form line by line, a larger one by DuckDB and its check sum. */
const mostStrictBytes = 1024 * 1024;
/** Lines that a file may have for each slot: a proxy that tries again asks the site several times. */
const mostLinesOfSlot = 20;
const freeLines = 1_000_000;
const interruptEveryMs = 50;
/** What a user's query may give, about: JavaScript takes several times as much. */
const mostAnswerBytes = 64 * 1024 * 1024;

/** A row: numbers for all of DuckDB's numbers, arrays and objects for its lists and structs. */
export type Row = Readonly<Record<string, unknown>>;

/** What a user's query gave. */
export interface Answer {
  readonly names: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** There are more rows than were read. */
  readonly isCut: boolean;
}

/** Statements that change nothing. */
const asking: ReadonlySet<StatementType> = new Set([StatementType.SELECT, StatementType.EXPLAIN]);

function refusedQuery(why: string, cause?: unknown): HarnessError {
  return new HarnessError('query-wrong', `The query cannot be run: ${why}.`, { cause });
}

/** How a value of each type is handed over. */
const appendAs = {
  BOOLEAN: (to: DuckDBAppender, value: unknown) => to.appendBoolean(value as boolean),
  // As 64 bits: one that is too large for the column is refused, where 32 bits would be cut off.
  INTEGER: (to: DuckDBAppender, value: unknown) => to.appendBigInt(BigInt(value as number)),
  'INTEGER[]': (to: DuckDBAppender, value: unknown) => to.appendList(value as number[], LIST(INTEGER)),
  DOUBLE: (to: DuckDBAppender, value: unknown) => to.appendDouble(value as number),
  VARCHAR: (to: DuckDBAppender, value: unknown) => to.appendVarchar(value as string),
} as const;

/** Columns of a table that this process fills, with their types. */
type PutColumns = Readonly<Record<string, keyof typeof appendAs>>;

/** The tables of a run, until it is closed. */
export class RunDatabase {
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;
  /** A folder that goes when the database is closed. */
  readonly temporary: string;

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, temporary: string) {
    this.instance = instance;
    this.connection = connection;
    this.temporary = temporary;
  }

  /** All rows of a query. */
  async all<T = Row>(sql: string): Promise<T[]> {
    const reader = await this.connection.runAndReadAll(sql);
    return reader.getRowObjects().map((row) => objectOf(row) as T);
  }

  /** All rows of a query, some at a time: those of a long run would fill the memory together. */
  async *parts<T = Row>(sql: string): AsyncGenerator<T[]> {
    const result = await this.connection.stream(sql);
    for await (const rows of result.yieldRowObjects()) yield rows.map((row) => objectOf(row) as T);
  }

  /** The only row of a query. */
  async one<T = Row>(sql: string): Promise<T> {
    const [row] = await this.all<T>(sql);
    if (row === undefined) throw new Error(`a query gave no row: ${sql}`);
    return row;
  }

  /**
   * Runs a query of the user's, who may look at everything and change nothing; {@link RunDatabase.lock} comes first.
   * @param most rows that are read
   * @throws {HarnessError} `query-wrong` when DuckDB refuses it, or it is more than a question
   */
  async answer(sql: string, { most, signal }: { most: number; signal: AbortSignal }): Promise<Answer> {
    // DuckDB forgets an interrupt that comes before the query runs: it is told again until the query has ended.
    let again: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      this.connection.interrupt();
      again = setTimeout(interrupt, interruptEveryMs);
    };
    signal.addEventListener('abort', interrupt);
    if (signal.aborted) interrupt();
    try {
      if (/^[\s;]*$/u.test(sql)) throw refusedQuery('it is empty');
      const statements = await this.connection.extractStatements(sql);
      if (statements.count !== 1) throw refusedQuery(`it has ${statements.count} statements, and may have one`);
      const statement = await statements.prepare(0);
      if (!asking.has(statement.statementType)) throw refusedQuery('it does more than ask: only a select is run');
      const result = await statement.stream();
      const names = result.deduplicatedColumnNames();
      const rows: unknown[][] = [];
      let bytes = 0;
      for await (const some of result.yieldRows()) {
        for (const row of some) {
          bytes += row.reduce<number>((sum, value) => sum + bytesOf(value), 0);
          if (rows.length >= most || bytes > mostAnswerBytes) return { names, rows, isCut: true };
          rows.push(row.map(shownOf));
        }
      }
      return { names, rows, isCut: false };
    } catch (cause) {
      throw cause instanceof HarnessError ? cause : refusedQuery(oneLine(messageOf(cause)), cause);
    } finally {
      signal.removeEventListener('abort', interrupt);
      clearTimeout(again);
    }
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** Makes a table of rows that this process worked out; a field that is undefined or infinite becomes null. */
  async put(name: string, columns: PutColumns, rows: readonly object[]): Promise<void> {
    const typed = Object.entries(columns);
    await this.run(
      `create or replace table ${name} (${typed.map(([column, type]) => `"${column}" ${type}`).join(', ')})`,
    );
    await this.append(name, columns, rows);
  }

  /** Adds rows to such a table. */
  async append(name: string, columns: PutColumns, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return;
    const typed = Object.entries(columns);
    const appender = await this.connection.createAppender(name);
    try {
      for (const row of rows as readonly Row[]) {
        for (const [column, type] of typed) {
          const value = row[column] ?? null;
          // As JSON has it: what is no number must not be compared as the greatest one.
          if (value === null || (typeof value === 'number' && !Number.isFinite(value))) appender.appendNull();
          else appendAs[type](appender, value);
        }
        appender.endRow();
      }
    } finally {
      appender.closeSync();
    }
  }

  /** From here on a query can read no file, load nothing and change no setting. */
  async lock(): Promise<void> {
    await this.run('set autoinstall_known_extensions = false');
    await this.run('set autoload_known_extensions = false');
    await this.run('set enable_external_access = false');
    await this.run('set lock_configuration = true');
  }

  /** Lets go of everything; to be called in any case. */
  async close(): Promise<void> {
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.temporary, { recursive: true, force: true });
  }

  /** Another connection to the same tables. */
  async beside<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }
}

/**
 * Opens the run in this folder, which the door has let in (run-door.ts). A file that is not there gives an empty table.
 * @param names the tables that are wanted; all unless said
 * @param strictBytes the largest file that is held against its form line by line
 * @throws {HarnessError} `run-damaged` naming file and line that is not of its form, `run-refused` when a file is too large
 */
export async function openDatabase(
  folder: string,
  record: RunRecord,
  names?: readonly string[],
  strictBytes = mostStrictBytes,
): Promise<RunDatabase> {
  const temporary = await scratchFolder('database');
  // A file is read on one thread, and two files at a time: several threads on one take half as long again in all.
  const settings = { memory_limit: memoryLimit, temp_directory: temporary, threads: '1' };
  const instance = await DuckDBInstance.create(':memory:', settings);
  const database = new RunDatabase(instance, await instance.connect(), temporary);
  try {
    const isLong = slotsOf(record) > mostSlotsInMemory;
    await attach(database, isLong);
    const constants = Object.entries(runConstants(record));
    await database.put('run', Object.fromEntries(constants.map(([name, { type }]) => [name, type])), [
      Object.fromEntries(constants.map(([name, { value }]) => [name, value])),
    ]);
    const wanted = runTables(record).filter(({ name }) => names === undefined || names.includes(name));
    const work = [0, 1].map(() =>
      database.beside(async (connection) => {
        await connection.run('use the_run');
        for (let table = wanted.shift(); table !== undefined; table = wanted.shift()) {
          await load(connection, { table, folder, slots: slotsOf(record), strictBytes, temporary });
        }
      }),
    );
    for (const done of await Promise.allSettled(work)) if (done.status === 'rejected') throw done.reason;
    if (isLong) await database.run('reset threads');
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function attach(database: RunDatabase, isLong: boolean): Promise<void> {
  if (isLong) {
    // In a file rows are packed as they come, and need not stay in memory; for a short run it is not worth the wait.
    const file = quoted(join(database.temporary, 'run.duckdb'));
    // Nobody opens it again: its form may be the newest, and needs no log for a crash and no last tidying up.
    await database.run(`attach ${file} as the_run (recovery_mode no_wal_writes, storage_version 'latest')`);
    await database.run('pragma disable_checkpoint_on_shutdown');
    // What a query frees goes back at once: DuckDB keeps some hundred megabytes of it otherwise.
    await database.run("set allocator_bulk_deallocation_flush_threshold = '1MiB'");
  } else {
    await database.run("attach ':memory:' as the_run");
  }
  await database.run('use the_run');
}

/** A table that is being read from its file. */
interface Loading {
  readonly table: RunTable;
  readonly folder: string;
  readonly slots: number;
  readonly strictBytes: number;
  readonly temporary: string;
}

/** Makes a table and fills it from its file. */
async function load(connection: DuckDBConnection, loading: Loading): Promise<void> {
  const { table, folder, slots, strictBytes, temporary } = loading;
  const declared = Object.entries(table.columns).map(([name, { type, sql, derived }]) =>
    derived === 'virtual' ? `"${name}" ${type} generated always as (${sql}) virtual` : `"${name}" ${type}`,
  );
  await connection.run(`create table ${table.name} (line integer, ${declared.join(', ')}, isDamaged boolean)`);
  const path = join(folder, table.file.name);
  if (!existsSync(path)) return;
  const isPacked = path.endsWith('.gz');
  const file = await openPlainFile(path);
  const { size } = await file.stat();
  await file.close();
  // DuckDB takes '5' for 5: a short file is read twice, since that costs nothing.
  const isChecked = size <= strictBytes;
  if (isChecked) await findDamage(path, table);
  // Unpacked here, since DuckDB looks at neither the check sum nor the length of what is packed.
  const plain = isPacked ? join(temporary, `${table.name}.ndjson`) : path;
  try {
    if (isPacked) await unpackTo(path, plain);
    await fill(connection, { table, path, plain, isChecked, most: mostLinesOfSlot * slots + freeLines });
  } finally {
    if (isPacked) await rm(plain, { force: true });
  }
  for (const sql of table.afterLoad ?? []) await connection.run(sql);
}

interface Filling {
  readonly table: RunTable;
  readonly path: string;
  /** What `path` holds, unpacked. */
  readonly plain: string;
  /** Every line is known to be of the file's form. */
  readonly isChecked: boolean;
  readonly most: number;
}

/** Reads the lines. */
async function fill(connection: DuckDBConnection, { table, path, plain, isChecked, most }: Filling): Promise<void> {
  const columns = Object.entries(table.columns);
  const inFile = columns.filter(([, { derived }]) => derived === undefined);
  const derived = columns.filter(([, { derived }]) => derived === 'stored');
  const listOf = (some: typeof columns): string => some.map(([name, { sql }]) => `${sql} as "${name}"`).join(', ');
  let rows: number;
  try {
    const inserted = await connection.run(
      `insert into ${table.name} by name
       select *${derived.length === 0 ? '' : `, ${listOf(derived)}`}
       from (
         select line, ${listOf(inFile)}, ${isChecked ? 'false' : damageOf(table)} as isDamaged
         from (select row_number() over () as line, * from ${sourceOf(plain, table)}) limit ${most}
       )`,
    );
    rows = inserted.rowsChanged;
  } catch (cause) {
    const why = wordsOf(messageOf(cause));
    if (why.startsWith('Out of Memory')) {
      throw new HarnessError('run-too-large', `${path} needs more memory than there is.`, { cause });
    }
    await findDamage(path, table);
    throw new HarnessError('run-damaged', `${path} cannot be read: ${why}.`, { cause });
  }
  if (rows >= most) throw refused(`${path} has ${most} lines or more, more than its schedule can have`);
  if (isChecked) return;
  const reader = await connection.runAndReadAll(`select 1 from ${table.name} where isDamaged limit 1`);
  if (reader.currentRowCount > 0) await findDamage(path, table);
}

/** What DuckDB says of a line, in plain words; the file that it names is a copy of ours. */
function wordsOf(message: string): string {
  const first = message.split('\n')[0] ?? '';
  const told = first
    .replace(/^Invalid Input Error: .*? in file ".*?",? /u, '')
    .replace(/^Conversion Error: .* with value (\S+) can't be cast.*$/u, 'the number $1 is out of range')
    .replace(/^(?:Conversion|Invalid Input|Out of Range) Error: /u, '');
  return oneLine(told);
}

function sourceOf(plain: string, { file, head }: RunTable): string {
  const fields = Object.entries({ ...head?.fields, ...file.fields });
  const types = fields.map(([name, { type }]) => `${quoted(name)}: ${quoted(type)}`).join(', ');
  return `read_json(${quoted(plain)}, format = 'newline_delimited', columns = {${types}}, compression = 'uncompressed',
    maximum_object_size = ${mostLineBytes})`;
}

/** SQL that is true of a line that is not of the file's form. */
function damageOf({ file, head }: RunTable): string {
  const ofAll = damageIn(file.fields);
  return head === undefined ? ofAll : `case when line = 1 then ${damageIn(head.fields)} else ${ofAll} end`;
}

/** Says what is wrong with the first line that is not of the file's form. */
async function findDamage(path: string, { file, head }: RunTable): Promise<void> {
  let line = 0;
  for await (const lines of path.endsWith('.gz') ? gzippedLines(path) : plainLines(path)) {
    for (const text of lines) recordIn(++line === 1 && head !== undefined ? head : file, text, { path, line });
  }
}

async function* plainLines(path: string): AsyncGenerator<string[]> {
  yield (await plainText(path)).split('\n').filter((line) => line !== '');
}

function objectOf(row: Readonly<Record<string, DuckDBValue>>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainOf(value)]));
}

/** In an answer to the user; a whole number that JavaScript would round is a text. */
function shownOf(value: DuckDBValue): unknown {
  return typeof value === 'bigint' && !Number.isSafeInteger(Number(value)) ? String(value) : plainOf(value);
}

/** About what a value takes. */
function bytesOf(value: DuckDBValue): number {
  return 8 + (typeof value === 'string' ? value.length : 0);
}

function plainOf(value: DuckDBValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof DuckDBListValue) return value.items.map(plainOf);
  if (value instanceof DuckDBStructValue) return objectOf(value.entries);
  // Decimals, dates and all else that JSON has no form for.
  return typeof value === 'object' && value !== null ? String(value) : value;
}
