/** Who is told of a run while it goes on. */
import type { LoadCounts } from '../in-lab/plan.ts';
import type { ExperimentRun } from '../run/run-record.ts';

/** What a conductor tells. */
export interface Watcher {
  /** A new phase of the run, such as `load`. */
  phase(text: string): void;
  /** Counts so far; a total of null is not known yet. */
  counts(counts: LoadCounts, total: number | null): void;
  /** Something that happened: a restart began. */
  note(text: string): void;
  /** The first request is due: from now on there is something to lose. */
  began(clock: Pick<ExperimentRun, 'originMonotonicUs' | 'wallOffsetUs'>): void;
}
