/**
 * Why the proxy gave an answer of its own: its access log has the 502 of a request and not the error, its own log has the
 * error and not the request. The two are matched in time.
 */
import type { AccessLine } from '../timeline/access-log.ts';
import type { FailureKind, ProxyLogLine } from '../timeline/proxy-log.ts';
import { firstWhere } from './span-lookup.ts';

/** Why a try failed; `refused or reset` where tries that failed otherwise lie too near to tell which is which. */
export type Failure = FailureKind | 'refused or reset';

/** What stands behind an answer of the proxy's own. */
export interface FailedTry {
  readonly failure: Failure;
  /** The nearest line of the proxy's own log. */
  readonly line: number;
}

/** The two logs beside each other; they balance when `answers + retries` is `failedTries`. */
export interface TryBalance {
  /** Answers that the proxy made up after a backend had failed it. */
  readonly answers: number;
  /** Further tries that it made. */
  readonly retries: number;
  /** Tries that failed, by its own log. */
  readonly failedTries: number;
}

/**
 * The proxy writes the error, then the answer; the engine stamps the error when it has read it from a pipe. So the line
 * is looked for from a little before the answer's end to a while after it.
 */
const beforeUs = 5_000;
const afterUs = 50_000;
/** Tries nearer than this to the nearest one could have been written in either order. */
const confusableUs = 2_000;

/** Takes both logs, and tells of each answer what stands behind it. */
export class FailedTries {
  private readonly tries: { atWallUs: number; failure: FailureKind; line: number }[] = [];
  private retries = 0;
  private answers = 0;
  private sorted = false;

  addLogLine(line: ProxyLogLine): void {
    if (line.kind === 'another-try') this.retries++;
    if (line.kind !== 'failed-try') return;
    this.tries.push({ atWallUs: line.atWallUs, failure: line.failure, line: line.line });
    this.sorted = false;
  }

  /** Every line of the access log, those of other requests than the load's too: the proxy's own log has them all. */
  addAnswer({ status, backend, version }: AccessLine): void {
    if (backend !== undefined && version === undefined && status >= 400) this.answers++;
  }

  balance(): TryBalance {
    return { answers: this.answers, retries: this.retries, failedTries: this.tries.length };
  }

  /** What stands behind an answer that ended then; null where the proxy's own log has nothing near. */
  behind(endWallUs: number): FailedTry | null {
    if (!this.sorted) {
      this.tries.sort((a, b) => a.atWallUs - b.atWallUs);
      this.sorted = true;
    }
    const first = this.firstFrom(endWallUs - beforeUs);
    let end = first;
    let nearest: (typeof this.tries)[number] | undefined;
    for (; end < this.tries.length; end++) {
      const one = this.tries[end];
      if (one === undefined || one.atWallUs > endWallUs + afterUs) break;
      // Of two as near the earlier one.
      if (nearest === undefined || Math.abs(one.atWallUs - endWallUs) < Math.abs(nearest.atWallUs - endWallUs)) {
        nearest = one;
      }
    }
    if (nearest === undefined) return null;
    const { atWallUs, failure, line } = nearest;
    for (let index = first; index < end; index++) {
      const rival = this.tries[index];
      if (rival === undefined || Math.abs(rival.atWallUs - atWallUs) > confusableUs) continue;
      if (rival.failure !== failure) return { failure: 'refused or reset', line };
    }
    return { failure, line };
  }

  /** Index of the first try from this time on. */
  private firstFrom(wallUs: number): number {
    return firstWhere(this.tries.length, (index) => (this.tries[index]?.atWallUs ?? Infinity) >= wallUs);
  }
}
