/** What still fits into the time that the user gives. */

/** Counts what runs take, beside what they should take by their schedules. */
export class TimeBudget {
  private readonly endMs: number;
  private readonly now: () => number;
  private tookMs = 0;
  private expectedMs = 0;

  constructor(limitMs: number, now: () => number = () => performance.now()) {
    this.now = now;
    this.endMs = now() + limitMs;
  }

  /** A run has ended. */
  ended(tookMs: number, expectedMs: number): void {
    this.tookMs += tookMs;
    this.expectedMs += expectedMs;
  }

  /** How long work of this length takes here, as runs so far have shown. */
  inTruth(expectedMs: number): number {
    return this.expectedMs === 0 ? expectedMs : expectedMs * Math.max(1, this.tookMs / this.expectedMs);
  }

  /** Does it end in time? */
  fits(expectedMs: number): boolean {
    return this.now() + this.inTruth(expectedMs) <= this.endMs;
  }

  /** Until the limit, ms; 0 behind it. */
  leftMs(): number {
    return Math.max(0, this.endMs - this.now());
  }
}
