/** Sums, extremes and roundings of figures. */

/** The sum of a figure of each row. */
export function sumOf<T>(rows: readonly T[], figure: (row: T) => number): number {
  return rows.reduce((sum, row) => sum + figure(row), 0);
}

/** The sum. */
export function sum(values: readonly number[]): number {
  return sumOf(values, (value) => value);
}

/** The greatest of those that are known; null where none is. */
export function greatestOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** To a thousandth: what the stamps can tell. */
export function thousandth(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Microseconds as milliseconds, to a thousandth; null stays null. */
export function toMs(us: number | null): number | null {
  return us === null ? null : thousandth(us / 1000);
}
