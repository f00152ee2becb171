/** How figures are written in reports. */

/** A count; a dash where it is not known. */
export function orUnknown(count: number | null): string {
  return count === null ? '–' : String(count);
}

/** Milliseconds, as exact as a reader needs them; a dash where they are not known. */
export function inMs(ms: number | null): string {
  return ms === null ? '–' : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

/** Microseconds since run start, as seconds. */
export function atSeconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`;
}

/** A number with its sign. */
export function signed(value: number): string {
  return value > 0 ? `+${value.toFixed(1)}` : value.toFixed(1);
}

/** Order of words: the same on every machine, whatever its language. */
export function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en');
}

/** The entries of a record by their names. */
export function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => inOrder(a, b));
}

/** Counts, the greatest first. */
export function byCount(record: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(record).sort(([a, many], [b, more]) => more - many || inOrder(a, b));
}
