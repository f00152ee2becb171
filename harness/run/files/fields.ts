/**
 * What the lines of a run's files hold. Each file declares its fields once; the TypeScript type, the check of a line, the
 * column of the database and docs/data.md come from that declaration. No schema library: these files are copied into the lab.
 */
import { HarnessError } from '../../base/errors.ts';
import { parseJson } from '../plain-file.ts';

/** One field of a record; `T` is what TypeScript takes it for. */
export interface Field<T> {
  readonly about: string;
  readonly admits: (value: unknown) => boolean;
  /** As in "not …". */
  readonly words: string;
  /** DuckDB's type of the column. */
  readonly type: string;
  readonly mayBeNull?: true;
  readonly mayBeMissing?: true;
  /** SQL that is true where a value that is no null must not stand, given the column. */
  readonly wrongIf?: (column: string) => string;
  /** Never there; it carries the type. */
  readonly typed?: T;
}

/** The fields of a record by their names in the file. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each field has a type of its own
export type Fields = Readonly<Record<string, Field<any>>>;

type Optional<F extends Fields> = { [K in keyof F]: F[K] extends { readonly mayBeMissing: true } ? K : never }[keyof F];
type TypeOf<F> = F extends Field<infer T> ? T : never;

/** The record that these fields make. */
export type RecordOf<F extends Fields> = {
  readonly [K in Exclude<keyof F, Optional<F>>]: TypeOf<F[K]>;
} & { readonly [K in Optional<F>]?: TypeOf<F[K]> };

/** A file of lines that are JSON. */
export interface RecordFile<F extends Fields> {
  /** Name within the run's folder. */
  readonly name: string;
  /** As in "is no …". */
  readonly what: string;
  readonly about: string;
  readonly fields: F;
}

/** Any text. */
export function text(about: string): Field<string> {
  return { about, admits: (value) => typeof value === 'string', words: 'a text', type: 'VARCHAR' };
}

/** A number; JSON knows no NaN, but 1e999 is read as Infinity. */
export function finite(about: string): Field<number> {
  return { about, admits: Number.isFinite, words: 'a number', type: 'DOUBLE' };
}

/** A whole number. */
export function integer(about: string): Field<number> {
  return { about, admits: Number.isSafeInteger, words: 'a whole number', type: 'BIGINT' };
}

/** A whole number that is not below `least`. */
export function integerFrom(least: number, about: string): Field<number> {
  return {
    about,
    admits: (value) => Number.isSafeInteger(value) && (value as number) >= least,
    words: `a whole number from ${least}`,
    type: 'BIGINT',
    wrongIf: (column) => `${column} < ${least}`,
  };
}

/** One of these words. */
export function oneOf<const W extends readonly string[]>(words: W, about: string): Field<W[number]> {
  const known: ReadonlySet<unknown> = new Set(words);
  return {
    about,
    admits: (value) => known.has(value),
    words: `one of ${words.join(', ')}`,
    type: 'VARCHAR',
    wrongIf: (column) => `${column} not in (${words.map((word) => `'${word}'`).join(', ')})`,
  };
}

/** Nothing but `true`. */
export function flag(about: string): Field<true> {
  return {
    about,
    admits: (value) => value === true,
    words: 'true',
    type: 'BOOLEAN',
    wrongIf: (column) => `not ${column}`,
  };
}

/** This, or null. */
export function orNull<T>({ admits, words, ...field }: Field<T>): Field<T | null> & { readonly mayBeNull: true } {
  return {
    ...field,
    admits: (value) => value === null || admits(value),
    words: `${words} or null`,
    mayBeNull: true,
  };
}

/** This, or no such field. */
export function optional<T>(field: Field<T>): Field<T> & { readonly mayBeMissing: true } {
  return { ...field, mayBeMissing: true };
}

/** An object with these fields. */
export function objectWith<F extends Fields>(fields: F, about: string): Field<RecordOf<F>> {
  const named = Object.entries(fields).map(([name, { words }]) => `${name} (${words})`);
  const columns = Object.entries(fields).map(([name, { type }]) => `"${name}" ${type}`);
  return {
    about,
    admits: (value) => faultOf(value, fields) === null,
    words: `an object with ${named.join(' and ')}`,
    type: `STRUCT(${columns.join(', ')})`,
    wrongIf: (column) => damageIn(fields, `${column}.`),
  };
}

/**
 * SQL that is true of a record that is not of these fields. It cannot tell a field that is missing from one that is null,
 * nor a number from a text that is one.
 */
export function damageIn(fields: Fields, before = ''): string {
  const wrong = Object.entries(fields).flatMap(([name, { mayBeNull, mayBeMissing, wrongIf }]) => {
    const column = `${before}"${name}"`;
    const isMissing = mayBeNull === true || mayBeMissing === true ? [] : [`${column} is null`];
    return [...isMissing, ...(wrongIf === undefined ? [] : [`${column} is not null and (${wrongIf(column)})`])];
  });
  return `coalesce(${wrong.join(' or ')}, false)`;
}

/** Where a line stands. */
export interface Place {
  readonly path: string;
  /** From 1; empty lines are not counted. */
  readonly line: number;
}

/**
 * A line's JSON as a record of this file. Fields beside those that are declared do no harm.
 * @throws {HarnessError} `run-damaged`, naming file and line and what is wrong
 */
export function recordIn<F extends Fields>(file: RecordFile<F>, line: string, place: Place): RecordOf<F> {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch (cause) {
    throw damaged(place, 'is no JSON', cause);
  }
  const fault = faultOf(json, file.fields);
  if (fault !== null) throw damaged(place, `is no ${file.what}: ${fault}`);
  return json as RecordOf<F>;
}

/**
 * The records of a short file's text.
 * @throws {HarnessError} naming file and line, when one is not of the file's form
 */
export function recordsIn<F extends Fields>(file: RecordFile<F>, content: string, path: string): RecordOf<F>[] {
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => recordIn(file, line, { path, line: index + 1 }));
}

/** What is wrong with a line, as an error. */
function damaged({ path, line }: Place, isWhat: string, cause?: unknown): HarnessError {
  return new HarnessError('run-damaged', `${path}: line ${line} ${isWhat}.`, cause === undefined ? {} : { cause });
}

/** The fields of each record, listed once: a long run has millions of lines. */
const listed = new WeakMap<Fields, [string, Field<unknown>][]>();

function listOf(fields: Fields): [string, Field<unknown>][] {
  const known = listed.get(fields) ?? Object.entries(fields);
  listed.set(fields, known);
  return known;
}

/** What keeps this from being an object with these fields; null where it is one. */
function faultOf(json: unknown, fields: Fields): string | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return `it is ${shown(json)}, not an object`;
  for (const [name, { admits, words, mayBeMissing }] of listOf(fields)) {
    const value = (json as Record<string, unknown>)[name];
    if (value === undefined && mayBeMissing === true) continue;
    if (value === undefined) return `${name} is missing`;
    if (!admits(value)) return `${name} is ${shown(value)}, not ${words}`;
  }
  return null;
}

const mostShown = 40;

/** A value as JSON has it, or its beginning. */
function shown(value: unknown): string {
  // JSON has no word for what 1e999 is read as.
  const json = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return json.length > mostShown ? `${json.slice(0, mostShown)}…` : json;
}
