/** How long a series still takes. */

/**
 * Begins to time a series; runs to come are taken to last as long as those that were.
 * @returns given how many runs have ended, what to put behind the words of the next one: nothing before the first has ended
 */
export function startTimer(runs: number, now: () => number = () => performance.now()): (done: number) => string {
  const startedMs = now();
  return (done) => (done === 0 ? '' : `, about ${leftInWords(((now() - startedMs) / done) * (runs - done))}`);
}

/** A time that is left, in words: `8 s left`, `2 min 05 s left`. */
export function leftInWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 1) return 'nearly done';
  if (seconds < 60) return `${seconds} s left`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s left`;
  return `${Math.floor(seconds / 3_600)} h ${String(Math.floor((seconds % 3_600) / 60)).padStart(2, '0')} min left`;
}
