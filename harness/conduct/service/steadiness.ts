/** Has a service answered steadily for a while? Told from the generator's running counts. */
import type { LoadCounts } from '../../in-lab/load/plan.ts';

/** A share of the slots: less than all, since those of the last moments are still under way. */
const answeredShare = 0.9;

type Seen = Pick<LoadCounts, 'due' | 'ok' | 'dropped'>;

/** Watches counts; the clock is the generator's. */
export class Steadiness {
  private readonly periodUs: number;
  private readonly seen: (Seen & { readonly atUs: number })[] = [];

  /** @param periodMs how long nothing may fail */
  constructor(periodMs: number) {
    this.periodUs = periodMs * 1000;
  }

  add(atUs: number, { due, ok, dropped }: Seen): void {
    this.seen.push({ atUs, due, ok, dropped });
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
    const due = last.due - first.due;
    if (last.dropped !== first.dropped || due === 0 || last.ok - first.ok < answeredShare * due) return null;
    return this.seen.find(({ atUs, dropped }) => atUs >= fromUs && dropped === last.dropped)?.atUs ?? null;
  }
}
