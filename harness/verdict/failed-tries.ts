/**
 * Why the proxy gave an answer of its own: its access log has the 502 of a request and not the error, its own log has the
 * error and not the request. The two are matched in time.
 */
import type { AccessLine } from '../run/access-log.ts';
import type { FailureKind, ProxyLogLine } from '../run/proxy-log.ts';
import { Numbers, risingOrder } from './numbers.ts';
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

const kinds: readonly FailureKind[] = ['refused', 'reset', 'timeout', 'cancelled', 'other'];

/** Takes both logs, and tells of each answer what stands behind it. */
export class FailedTries {
  private readonly atWallUs = new Numbers();
  private readonly lines = new Numbers();
  /** Places among {@link kinds}. */
  private readonly failures = new Numbers();
  /** Of all tries, in the order of time; made when it is first asked for. */
  private inTime: { wallUs: Float64Array; order: Uint32Array } | null = null;
  private retries = 0;
  private answers = 0;

  addLogLine(line: ProxyLogLine): void {
    if (line.kind === 'another-try') this.retries++;
    if (line.kind !== 'failed-try') return;
    this.atWallUs.push(line.atWallUs);
    this.lines.push(line.line);
    this.failures.push(kinds.indexOf(line.failure));
    this.inTime = null;
  }

  /** Every line of the access log, those of other requests than the load's too: the proxy's own log has them all. */
  addAnswer({ status, backend, version }: AccessLine): void {
    if (backend !== undefined && version === undefined && status >= 400) this.answers++;
  }

  balance(): TryBalance {
    return { answers: this.answers, retries: this.retries, failedTries: this.atWallUs.length };
  }

  /** What stands behind an answer that ended then; null where the proxy's own log has nothing near. */
  behind(endWallUs: number): FailedTry | null {
    this.inTime ??= this.sort();
    const { wallUs, order } = this.inTime;
    const first = firstWhere(wallUs.length, (index) => (wallUs[index] ?? Infinity) >= endWallUs - beforeUs);
    let nearest = -1;
    let nearestUs = Infinity;
    let end = first;
    for (; end < wallUs.length; end++) {
      const atUs = wallUs[end] ?? Infinity;
      if (atUs > endWallUs + afterUs) break;
      // Of two as near the earlier one.
      if (Math.abs(atUs - endWallUs) >= Math.abs(nearestUs - endWallUs)) continue;
      nearest = end;
      nearestUs = atUs;
    }
    if (nearest < 0) return null;
    const failures = this.failures.all();
    const kindOf = (index: number): number => failures[order[index] ?? 0] ?? 0;
    const kind = kindOf(nearest);
    const line = this.lines.all()[order[nearest] ?? 0] ?? 0;
    for (let index = first; index < end; index++) {
      const isRival = Math.abs((wallUs[index] ?? Infinity) - nearestUs) <= confusableUs;
      if (isRival && kindOf(index) !== kind) return { failure: 'refused or reset', line };
    }
    return { failure: kinds[kind] ?? 'other', line };
  }

  private sort(): { wallUs: Float64Array; order: Uint32Array } {
    const all = this.atWallUs.all();
    const order = risingOrder(all);
    return { wallUs: Float64Array.from(order, (place) => all[place] ?? 0), order };
  }
}
