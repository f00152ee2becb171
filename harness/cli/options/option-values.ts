/** Values of options, checked: each throws a HarnessError that names the option. */
import { randomInt } from 'node:crypto';
import { HarnessError } from '../../base/errors.ts';

/** The highest seed: what a signed integer of 32 bits holds. */
const highestSeed = 2 ** 31 - 1;

/** What is wrong with an option. */
export function optionError(message: string, hint?: string, cause?: unknown): HarnessError {
  return new HarnessError('option-value', message, { hint, cause });
}

/** One of these words. */
export function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  const all = `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
  throw optionError(`${option} must be ${all}, not ${JSON.stringify(text)}.`);
}

/** A whole number from `low` to `high`. */
export function wholeNumber(option: string, text: string, low: number, high: number): number {
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low} on` : `from ${low} to ${high}`;
  // 010 is 8 to some readers.
  const value = /^(0|[1-9]\d*)$/u.test(text) ? Number(text) : Number.NaN;
  return checked({ option, text, takes: `a whole number ${range}` }, value, low, high);
}

/** The seed that was asked for, or a drawn one; `spare` more seeds follow it. */
export function seedOf(text: string | undefined, spare = 0): number {
  const most = highestSeed - spare;
  return text === undefined ? randomInt(0, most) : wholeNumber('--seed', text, 0, most);
}

/** A share in percent, from `low` to `high`. */
export function percentage(option: string, text: string, low: number, high: number): number {
  const value = /^\d+(\.\d+)?$/u.test(text) ? Number(text) : Number.NaN;
  return checked({ option, text, takes: `a percentage from ${low} to ${high}` }, value, low, high);
}

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `500ms`, `30s` or `2m`. */
export function durationMs(option: string, text: string, lowMs: number, highMs: number): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/u.exec(text) ?? [];
  const takes = `a duration such as 500ms, 30s or 2m, from ${lowMs} ms to ${highMs / 1000} s`;
  return checked({ option, text, takes }, Math.round(Number(count) * (unitMs[unit] ?? Number.NaN)), lowMs, highMs);
}

const unitBytes: Record<string, number> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes of a size such as `4096`, `64KiB` or `1GiB`. */
export function byteSize(option: string, text: string, low: number, high: number): number {
  const [, count, unit = ''] = /^(\d+)(KiB|MiB|GiB|)$/u.exec(text) ?? [];
  const takes = `a size such as 4096, 64KiB or 1GiB, from ${low} to ${high} bytes`;
  return checked({ option, text, takes }, Number(count) * (unitBytes[unit] ?? Number.NaN), low, high);
}

function checked(
  { option, text, takes }: { option: string; text: string; takes: string },
  value: number,
  low: number,
  high: number,
): number {
  if (value >= low && value <= high) return value;
  throw optionError(`${option} takes ${takes}, not ${JSON.stringify(text)}.`);
}
