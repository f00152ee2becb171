/** Values of options, checked. */
import { HarnessError } from '../../base/errors.ts';

/**
 * A whole number from `low` to `high`.
 * @throws {HarnessError} naming the option
 */
export function wholeNumber(option: string, text: string, low: number, high: number): number {
  // 010 is 8 to some.
  const value = /^(0|[1-9]\d*)$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low} on` : `from ${low} to ${high}`;
  throw new HarnessError('option-value', `${option} takes a whole number ${range}, not ${JSON.stringify(text)}.`);
}

/**
 * A share in percent, from `low` to `high`.
 * @throws {HarnessError} naming the option
 */
export function percentage(option: string, text: string, low: number, high: number): number {
  const value = /^\d+(\.\d+)?$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new HarnessError(
    'option-value',
    `${option} takes a percentage from ${low} to ${high}, not ${JSON.stringify(text)}.`,
  );
}

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Milliseconds of a duration such as `500ms`, `30s` or `2m`.
 * @throws {HarnessError} naming the option
 */
export function durationMs(option: string, text: string, lowMs: number, highMs: number): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/u.exec(text);
  const ms = match === null ? Number.NaN : Math.round(Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN));
  if (ms >= lowMs && ms <= highMs) return ms;
  throw new HarnessError(
    'option-value',
    `${option} takes a duration such as 500ms, 30s or 2m, from ${lowMs} ms to ${highMs / 1000} s, ` +
      `not ${JSON.stringify(text)}.`,
  );
}

const unitBytes: Record<string, number> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/**
 * Bytes of a size such as `4096`, `64KiB` or `1GiB`.
 * @throws {HarnessError} naming the option
 */
export function byteSize(option: string, text: string, low: number, high: number): number {
  const match = /^(\d+)(KiB|MiB|GiB|)$/u.exec(text);
  const bytes = match === null ? Number.NaN : Number(match[1]) * (unitBytes[match[2] ?? ''] ?? Number.NaN);
  if (bytes >= low && bytes <= high) return bytes;
  throw new HarnessError(
    'option-value',
    `${option} takes a size such as 4096, 64KiB or 1GiB, from ${low} to ${high} bytes, not ${JSON.stringify(text)}.`,
  );
}

/** The highest seed: what a signed integer of 32 bits holds. */
export const highestSeed = 2 ** 31 - 1;
