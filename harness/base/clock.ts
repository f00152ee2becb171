/** CLOCK_MONOTONIC of the kernel this process runs on, which all containers of an engine share. */

/** Microseconds of CLOCK_MONOTONIC. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** The same moment on both clocks, in microseconds. */
export interface ClockPair {
  readonly monotonicUs: number;
  readonly wallUs: number;
}

/**
 * Reads both clocks at the moment the wall clock ticks to its next millisecond (the finest that Node shows), which
 * takes up to one millisecond and is right to some microseconds.
 */
export function clockPair(): ClockPair {
  const before = Date.now();
  let now = Date.now();
  while (now === before) now = Date.now();
  return { monotonicUs: monotonicUs(), wallUs: now * 1000 };
}
