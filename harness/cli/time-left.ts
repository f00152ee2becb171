/** How long a series of runs still takes. */
import { leftInWords } from './progress-line.ts';

/** A series that has begun. */
export interface Series {
  /** What to put behind the words of the next run: nothing before the first has ended, then the time that is left. */
  left(done: number): string;
}

/** Begins a series of so many runs; those to come are taken to last as long as those that were. */
export function startSeries(runs: number, now: () => number = () => performance.now()): Series {
  const startedMs = now();
  return {
    left: (done) => (done === 0 ? '' : `, about ${leftInWords(((now() - startedMs) / done) * (runs - done))}`),
  };
}
