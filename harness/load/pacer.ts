/** When each request is due. Pure: no clock, no timer. */

/** Due time of slot `seq`, in microseconds since the origin: seq / rate. */
export function dueUsOf(seq: number, ratePerSecond: number): number {
  return Math.round((seq * 1e6) / ratePerSecond);
}

/** How many slots a load of this length has: exactly rate × seconds, rounded to the nearest. */
export function slotCount(ratePerSecond: number, durationMs: number): number {
  return Math.round((ratePerSecond * durationMs) / 1000);
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
