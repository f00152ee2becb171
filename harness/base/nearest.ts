/** The name that somebody meant. */

/**
 * Edits between two words: letters added, left out, replaced, or two neighbours exchanged (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The name nearest to `word`, whatever its letters' case.
 * @returns undefined when none is near (more than a third of the letters would change), or several are equally near
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const ranked = names
    .map((name) => ({ name, edits: editDistance(lower, name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const [best, next] = ranked;
  if (best === undefined || best.edits > Math.max(1, Math.floor(best.name.length / 3))) return undefined;
  return next?.edits === best.edits ? undefined : best.name;
}

/** `Did you mean x? `, or nothing. */
export function didYouMean(word: string, names: readonly string[]): string {
  const name = nearest(word, names);
  return name === undefined ? '' : `Did you mean ${name}? `;
}
