/** How slots are shared out among threads, and how many are due by now. Pure: no clock, no timer. */
import { dueUsOf } from '../../experiment/load-schedule.ts';

/** The slots of one thread among several: every `step`th, from `first` on. A single thread has them all. */
export interface SlotShare {
  readonly first: number;
  readonly step: number;
}

/** All slots. */
export const wholeShare: SlotShare = { first: 0, step: 1 };

/** How many of the first `slots` slots are this share's. */
export function shareOfSlots(slots: number, { first, step }: SlotShare): number {
  return Math.max(0, Math.ceil((slots - first) / step));
}

/** The slot's number of a share's nth slot, from 0. */
export function slotOfShare(nth: number, { first, step }: SlotShare): number {
  return first + nth * step;
}

/** How many slots are due at `elapsedUs` since the origin (slot 0 is due at 0). */
export function slotsDueBy(elapsedUs: number, ratePerSecond: number, count: number): number {
  if (elapsedUs < 0) return 0;
  // The division may land one beside the exact slot, since due times are rounded to whole microseconds.
  let slots = Math.floor((elapsedUs * ratePerSecond) / 1e6) + 1;
  while (slots < count && dueUsOf(slots, ratePerSecond) <= elapsedUs) slots++;
  while (slots > 0 && dueUsOf(slots - 1, ratePerSecond) > elapsedUs) slots--;
  return Math.min(slots, count);
}
