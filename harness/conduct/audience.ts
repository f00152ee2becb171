/** The user who waits for a run, as conducting sees them. */
import type { LoadCounts } from '../in-lab/load/plan.ts';

/** A part of a run, and how long it should take. */
export interface Step {
  /** What the user reads: `booting the lab`. */
  readonly text: string;
  /** Milliseconds, from the schedule or from experience. */
  readonly expectedMs: number;
}

/** A run's progress. */
export interface Progress {
  /** A new phase of the run, such as `load`. */
  phase(text: string): void;
  /** Counts so far; a total of null is not known yet. */
  counts(counts: LoadCounts, total: number | null): void;
  /** Something that happened: a restart began. */
  note(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** The user: is told how a run goes, and may cut it short. */
export interface Audience {
  /** Aborted by Ctrl-C or SIGTERM; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Says something beside the results; the text ends its own line. */
  say(text: string): void;
  /**
   * Begins to show progress.
   * @param options what is run, and the steps that will come, so that the time left can be told
   */
  follow(options?: { title?: string; steps?: readonly Step[] }): Progress;
}
