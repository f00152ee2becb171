/** Durations as Go writes them, since the flags are those of a Go service. */

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Node's timers count in a signed 32-bit number of milliseconds; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/**
 * Milliseconds in a duration such as `50ms`, `5s`, `1m30s`, `1.5s` or `0`, in the grammar of Go's time.ParseDuration
 * without the sign. Throws an Error whose message says what was wrong with the text.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/u.test(text)) {
    const why = /^\d+(\.\d+)?$/u.test(text) ? ': a unit is missing' : '';
    throw new Error(`"${text}" is not a duration${why} (write 50ms, 5s, 1m30s, 1.5s or 0)`);
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/gu)) {
    totalMs += Number(amount) * unitMs[unit as keyof typeof unitMs];
  }
  if (totalMs > longestMs) throw new Error(`"${text}" is too long a duration (at most 596h)`);
  return totalMs;
}
