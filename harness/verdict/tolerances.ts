/** How far stamps of one moment may lie apart. */

/** By so much the stamps of different witnesses of one moment may differ, on a machine that keeps processes waiting. */
export const toleranceUs = 50_000;

/** Client and site stamp by one clock, in microseconds, and each before it hands on: the order is strict, but for rounding. */
export const oneClockUs = 1_000;

/**
 * The proxy stamps by the wall clock, which is kept right while a run goes on: it may have moved this far from where it
 * was at the run's beginning, beside what it was seen to move until the end.
 */
export const wallClockUs = 5_000;

/** After any run has ended: JSON and DuckDB know no infinite time. */
export const neverUs = 1e15;
