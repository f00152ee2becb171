/** Mistakes in data that somebody wrote by hand: the field of each, and what it must be. Pure. */
import { z } from 'zod';
import { fieldNamesAt } from './field-paths.ts';
import { didYouMean, nearest } from '../base/nearest.ts';

/** A mistake in written data. */
export interface Mistake {
  readonly path: readonly PropertyKey[];
  /** What is expected, such as `must be a number, not "fast"`. */
  readonly what: string;
  /** It is the name of the field that is wrong, not its value. */
  readonly isOfName: boolean;
}

type Issue = z.core.$ZodIssue;

/** What zod says when a schema says nothing of its own. */
const zodsOwnWords = /^(Invalid|Too (small|big)|Unrecognized)/u;

/** All that is wrong with `data` by this schema, the first mistake of each field. */
export function mistakesIn(error: z.ZodError, data: unknown, schema: z.ZodType): Mistake[] {
  // Missing fields come last: often the field is there, and misspelt.
  const mistakes = error.issues
    .flatMap((issue) => mistakesOf(issue, data, schema))
    .sort((a, b) => Number(a.isMissing) - Number(b.isMissing));
  // A field that is missing because it is misspelt is one mistake, not two.
  const meant = new Set(mistakes.flatMap(({ instead }) => instead ?? []));
  const seen = new Set<string>();
  return mistakes.filter(({ path, isMissing }) => {
    const name = pathText(path);
    if (seen.has(name) || (isMissing && meant.has(name))) return false;
    seen.add(name);
    // The mistake of a field says more than that of the part around it.
    return !mistakes.some((other) => other.path.length > path.length && pathText(other.path).startsWith(`${name}.`));
  });
}

/** A mistake in words: `app.warmupMs: must be a whole number, not "fast"`. */
export function mistakeText({ path, what }: Pick<Mistake, 'path' | 'what'>): string {
  return path.length === 0 ? what : `${pathText(path)}: ${what}`;
}

/** A value as it is named in a sentence: short, and never code. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'a map of fields';
    case 'function':
      return 'a function';
    case 'undefined':
      return 'nothing';
    case 'bigint':
    case 'boolean':
    case 'number':
    case 'symbol':
      return String(value);
  }
}

interface Found extends Mistake {
  readonly isMissing: boolean;
  /** The path of the field that was meant. */
  readonly instead?: string;
}

function mistakesOf(issue: Issue, data: unknown, schema: z.ZodType): Found[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField([...path, key], schema));
  if (issue.code === 'invalid_union') {
    const { errors } = issue;
    const isPlain = errors.every((branch) => branch.every((each) => each.path.length === 0 && expected(each) !== null));
    if (!isPlain && errors.length > 0) {
      const found = (each: Issue): Found[] => mistakesOf({ ...each, path: [...path, ...each.path] }, data, schema);
      return mistakesOfBest(
        errors.map((branch) => branch.flatMap(found)),
        path,
      );
    }
  }
  const value = valueAt(data, path);
  const words = expected(issue);
  const isMissing = words !== null && value === undefined;
  const what = isMissing
    ? `is missing: it must be ${words}`
    : words === null
      ? ownWords(issue)
      : `must be ${words}, not ${received(issue, value)}${meantValue(issue, value)}`;
  return [{ path, what, isMissing, isOfName: issue.code === 'invalid_key' }];
}

/** Those of the alternative that fits best: it is the one that was meant. */
function mistakesOfBest(branches: readonly (readonly Found[])[], path: readonly PropertyKey[]): Found[] {
  const lacking = branches.map((branch) => (branch.every(({ isMissing }) => isMissing) ? branch : []));
  const names = lacking.map(([first, ...more]) => (more.length === 0 ? first?.path.at(-1) : undefined));
  if (new Set(names).size > 1 && !names.includes(undefined)) {
    return [{ path, what: `needs ${orList(names.map(String))}`, isMissing: false, isOfName: false }];
  }
  // One of another type was not meant at all.
  const isOther = (branch: readonly Found[]): boolean => branch.some((each) => each.path.length === path.length);
  const [best = []] = [...branches].sort((a, b) => Number(isOther(a)) - Number(isOther(b)) || a.length - b.length);
  const present = best.filter(({ isMissing }) => !isMissing);
  return present.length > 0 ? present : [...best];
}

function unknownField(path: readonly PropertyKey[], schema: z.ZodType): Found {
  const name = String(path.at(-1));
  const parent = path.slice(0, -1);
  const names = fieldNamesAt(schema, parent);
  const common = { path, isMissing: false, isOfName: true };
  if (names.includes(name)) {
    return { ...common, what: 'does not go with the fields beside it: it is another way to say the same' };
  }
  const instead = nearest(name, names);
  if (instead === undefined) return { ...common, what: `there is no such field; there are ${names.join(', ')}` };
  const what = `there is no such field. Did you mean ${instead}?`;
  return { ...common, what, instead: pathText([...parent, instead]) };
}

/** What must stand there, to go behind `must be`; null where the schema says it in a sentence of its own. */
function expected(issue: Issue): string | null {
  if (!zodsOwnWords.test(issue.message)) return null;
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return orList(issue.values.map(String));
    case 'too_small':
      if (issue.origin === 'string') return `text of at least ${issue.minimum} letters`;
      if (issue.origin === 'array') return `a list of at least ${issue.minimum}`;
      return `${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `a list of at most ${issue.maximum}`;
      return `${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}`;
    case 'invalid_union':
      return orList([...new Set(issue.errors.flat().map((each) => expected(each) ?? each.message))]);
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'custom':
      return null;
  }
}

const typeWords: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  object: 'a map of fields',
  record: 'a map of fields',
  array: 'a list',
  tuple: 'a list',
};

/** The value that was found; of text that is too short, and of a list, its length says more. */
function received(issue: Issue, value: unknown): string {
  const isOfLength = issue.code === 'too_small' || issue.code === 'too_big';
  return isOfLength && Array.isArray(value) ? `of ${value.length}` : shown(value);
}

function meantValue(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_type' && issue.expected === 'string' && typeof value === 'boolean') {
    return ': write it in quotes';
  }
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return '';
  const hint = didYouMean(value, issue.values.map(String)).trim();
  return hint === '' ? '' : `. ${hint}`;
}

function ownWords(issue: Issue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
