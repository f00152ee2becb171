/**
 * What a line of a run's file must hold: the fields that are read of it, each of its type. A field that is missing, or is no
 * number, compares as false with everything, and so would switch off the checks that are made with it. Fields beside those
 * that are read do no harm. No schema library: threads that read a long file begin sooner without one.
 */
import { HarnessError } from '../base/errors.ts';
import { parseJson } from './plain-file.ts';

/** Where a line stands. */
export interface Place {
  readonly path: string;
  /** From 1; empty lines are not counted. */
  readonly line: number;
}

/**
 * Gives a line's JSON back as what it is.
 * @throws {HarnessError} naming file and line, and what is wrong, when it is not of the form
 */
export type LineForm<T> = (json: unknown, place: Place) => T;

/** What a field may be. */
export interface FieldForm {
  readonly admits: (value: unknown) => boolean;
  /** As in "not …". */
  readonly words: string;
  readonly mayBeMissing?: boolean;
}

export const text: FieldForm = { admits: (value) => typeof value === 'string', words: 'a text' };
/** JSON knows no NaN, but 1e999 is read as Infinity. */
export const finite: FieldForm = { admits: Number.isFinite, words: 'a number' };
export const integer: FieldForm = { admits: Number.isSafeInteger, words: 'a whole number' };

/** A whole number that is not below `least`. */
export function integerFrom(least: number): FieldForm {
  return {
    admits: (value) => Number.isSafeInteger(value) && (value as number) >= least,
    words: `a whole number from ${least}`,
  };
}

/** One of these words. */
export function oneOf(words: readonly string[]): FieldForm {
  const known: ReadonlySet<unknown> = new Set(words);
  return { admits: (value) => known.has(value), words: `one of ${words.join(', ')}` };
}

/** This, or null. */
export function orNull({ admits, words }: FieldForm): FieldForm {
  return { admits: (value) => value === null || admits(value), words: `${words} or null` };
}

/** This, or no such field. */
export function optional(form: FieldForm): FieldForm {
  return { ...form, mayBeMissing: true };
}

/** An object with these fields. */
export function objectWith(fields: Readonly<Record<string, FieldForm>>): FieldForm {
  const named = Object.entries(fields).map(([name, { words }]) => `${name} (${words})`);
  return { admits: (value) => faultOf(value, fields) === null, words: `an object with ${named.join(' and ')}` };
}

/**
 * The form of a line with these fields.
 * @param what a line of the file is, as in "is no …"
 */
export function lineForm<T extends object>(
  what: string,
  fields: Readonly<Record<keyof T & string, FieldForm>>,
): LineForm<T> {
  return (json, place) => {
    const fault = faultOf(json, fields);
    if (fault !== null) throw damaged(place, `is no ${what}: ${fault}`);
    return json as T;
  };
}

/** What is wrong with a line, as an error. */
export function damaged({ path, line }: Place, isWhat: string, cause?: unknown): HarnessError {
  return new HarnessError('run-damaged', `${path}: line ${line} ${isWhat}.`, cause === undefined ? {} : { cause });
}

/** The JSON of a line. */
export function parseLine(line: string, place: Place): unknown {
  try {
    return parseJson(line);
  } catch (cause) {
    throw damaged(place, 'is no JSON', cause);
  }
}

/**
 * The lines of a short file that are not empty, each of the form.
 * @throws {HarnessError} naming file and line, when one is not
 */
export function recordsOf<T>(content: string, path: string, form: LineForm<T>): T[] {
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const place = { path, line: index + 1 };
      return form(parseLine(line, place), place);
    });
}

/** What keeps this from being an object with these fields; null where it is one. */
function faultOf(json: unknown, fields: Readonly<Record<string, FieldForm>>): string | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return `it is ${shown(json)}, not an object`;
  for (const [name, { admits, words, mayBeMissing }] of Object.entries(fields)) {
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
