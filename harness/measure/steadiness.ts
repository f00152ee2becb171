/** Has a service answered steadily for a while? Told from the generator's running counts. */
import type { LoadCounts } from '../load/plan.ts';

/** A share of the slots: less than all, since those of the last moments are still under way. */
const answeredShare = 0.9;

/** Watches counts; the clock is the generator's. */
export class Steadiness {
  private readonly periodUs: number;
  private readonly seen: { atUs: number; counts: LoadCounts }[] = [];

  /** @param periodMs how long nothing may fail */
  constructor(periodMs: number) {
    this.periodUs = periodMs * 1000;
  }

  add(atUs: number, counts: LoadCounts): void {
    this.seen.push({ atUs, counts });
  }

  /** Since `fromUs`, has a whole period passed in which nothing was dropped and nearly all that was due was ok? */
  isSteadySince(fromUs: number): boolean {
    const last = this.seen.at(-1);
    if (last === undefined) return false;
    const first = this.seen.findLast(({ atUs }) => atUs <= last.atUs - this.periodUs);
    if (first === undefined || first.atUs < fromUs) return false;
    const due = last.counts.due - first.counts.due;
    const ok = last.counts.ok - first.counts.ok;
    return last.counts.dropped === first.counts.dropped && due > 0 && ok >= answeredShare * due;
  }
}
