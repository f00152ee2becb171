/** Two sets of fields held against each other: settings of two runs, or what ran and what was asked for. Pure. */

/** A field that both have, or one of them, and that differs. */
export interface Difference {
  readonly name: string;
  /** null where there is no such field. */
  readonly a: string | null;
  readonly b: string | null;
}

/** Every leaf of nested data by its path, as --set has it (`load.mix.0.weight`), and its value as text. */
export function flatFields(value: unknown, path = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null) return { [path]: String(value) };
  const parts = Object.entries(value).map(([key, part]) => flatFields(part, path === '' ? key : `${path}.${key}`));
  return Object.assign({}, ...parts) as Record<string, string>;
}

/** The fields that differ, in the order of their names. */
export function differences(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): Difference[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .sort()
    .filter((name) => a[name] !== b[name])
    .map((name) => ({ name, a: a[name] ?? null, b: b[name] ?? null }));
}
