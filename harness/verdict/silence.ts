/** Silence: how long nobody who asked was answered as expected. */
import { isOwnFault, type LedgerRow } from '../run/ledger.ts';
import { dueUsOf } from '../experiment/load-schedule.ts';

/** Marks of a slot that has no time of an ok answer. */
const failed = -1;
const notAsked = -2;
const refused = -3;

/**
 * The longest stretch of the schedule in which no request due in it was answered as expected. It begins at the due time
 * of a request and ends with the first ok answer to that request or a later one, at the latest with the last due
 * request: an answer to a request that was due earlier does not end it. The shortest latency of the load is taken off
 * each answer, so that a service that is merely slow is not silent.
 */
export class Silence {
  private readonly ratePerSecond: number;
  /** When each slot's ok answer was complete, µs since the origin. */
  private readonly doneUs: Float64Array;
  private shortestUs = Infinity;

  constructor(slots: number, ratePerSecond: number) {
    this.ratePerSecond = ratePerSecond;
    this.doneUs = new Float64Array(slots).fill(notAsked);
  }

  add({ seq, dueUs, doneUs, outcome }: LedgerRow): void {
    if (!(seq >= 0 && seq < this.doneUs.length) || isOwnFault(outcome)) return;
    this.doneUs[seq] = outcome === 'ok' ? doneUs : outcome === 'refused' ? refused : failed;
    if (outcome === 'ok') this.shortestUs = Math.min(this.shortestUs, doneUs - dueUs);
  }

  /** Was the service gone at the end: the last request refused, or the last two not answered as expected? */
  isGoneAtEnd(): boolean {
    const [last, before] = this.doneUs
      .filter((us) => us !== notAsked)
      .slice(-2)
      .reverse();
    return last === refused || (last === failed && before !== undefined && before < 0);
  }

  /** Its length, µs, right to one slot (1/rate); null where no request left, so that nothing is known. */
  longestUs(): number | null {
    const { doneUs, ratePerSecond } = this;
    const last = doneUs.findLastIndex((us) => us !== notAsked);
    if (last < 0) return null;
    const endUs = dueUsOf(last, ratePerSecond);
    let answeredUs = endUs;
    let longestUs = 0;
    for (let seq = last; seq >= 0; seq--) {
      const us = doneUs[seq] ?? notAsked;
      if (us === notAsked) continue;
      if (us >= 0) answeredUs = Math.min(answeredUs, us - this.shortestUs);
      longestUs = Math.max(longestUs, answeredUs - dueUsOf(seq, ratePerSecond));
    }
    return longestUs;
  }
}
