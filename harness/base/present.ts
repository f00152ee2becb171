/** The parts that there are: what is false, null, undefined or an empty text is left out. */
export function present<T>(parts: readonly (T | false | null | undefined)[]): T[] {
  return parts.filter((part): part is T => part !== false && part != null && part !== '');
}
