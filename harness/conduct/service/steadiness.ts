/** Has a service answered steadily for a while? Told from the generator's running counts. */
import type { LoadCounts } from '../../in-lab/load/plan.ts';

/** A share of the slots: less than all, since those of the last moments are still under way. */
const answeredShare = 0.9;

type Seen = Pick<LoadCounts, 'due' | 'ok' | 'dropped'>;

/** Watches counts; the clock is the generator's. */
export class Steadiness {
  private readonly periodUs: number;
  private readonly seen: { atUs: number; counts: Seen }[] = [];

  /** @param periodMs how long nothing may fail */
  constructor(periodMs: number) {
    this.periodUs = periodMs * 1000;
  }

  add(atUs: number, { due, ok, dropped }: Seen): void {
    this.seen.push({ atUs, counts: { due, ok, dropped } });
  }

  /**
   * From when on nothing has been dropped, if a whole period has passed since `fromUs` in which nothing was and nearly all
   * that was due was ok; else null.
   */
  steadyFromUs(fromUs: number): number | null {
    const last = this.seen.at(-1);
    if (last === undefined) return null;
    const first = this.seen.findLast(({ atUs }) => atUs <= last.atUs - this.periodUs);
    if (first === undefined || first.atUs < fromUs) return null;
    const due = last.counts.due - first.counts.due;
    const ok = last.counts.ok - first.counts.ok;
    if (last.counts.dropped !== first.counts.dropped || due === 0 || ok < answeredShare * due) return null;
    return this.seen.find(({ atUs, counts }) => atUs >= fromUs && counts.dropped === last.counts.dropped)?.atUs ?? null;
  }
}
