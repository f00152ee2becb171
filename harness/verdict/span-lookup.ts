/** Which of many spans, or moments, a time meets; asked a million times, so that looking through all of them is too slow. */

/** A stretch of the run, in microseconds since the origin; its end may be infinite. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

const none: readonly number[] = [];

/** Spans by the moments that lie in them, `fromUs` included and `toUs` not. They may overlap, and lie in any order. */
export class SpansAt {
  /** Rising, from −∞ to ∞; between two of them the same spans hold. */
  private readonly bounds: Float64Array;
  /** From each bound to the next, the indices of the spans, rising. */
  private readonly held: readonly (readonly number[])[];
  /** Where the last answer was: the next is most often there, or right after. */
  private last = 0;

  constructor(spans: readonly Span[]) {
    const bounds = spans.flatMap(({ fromUs, toUs }) => (fromUs < toUs ? [fromUs, toUs] : []));
    this.bounds = Float64Array.from(new Set([-Infinity, ...bounds, Infinity])).sort();
    const held = Array.from(this.bounds, (): number[] => []);
    for (const [index, { fromUs, toUs }] of spans.entries()) {
      if (!(fromUs < toUs)) continue;
      for (let at = this.boundOf(fromUs); (this.bounds[at] ?? Infinity) < toUs; at++) held[at]?.push(index);
    }
    this.held = held;
  }

  /** Indices of the spans in which this moment lies, rising. */
  at(us: number): readonly number[] {
    return this.held[this.boundOf(us)] ?? none;
  }

  /** Does it lie in any? */
  holds(us: number): boolean {
    return (this.held[this.boundOf(us)] ?? none).length > 0;
  }

  /** Until when, from this moment on, the same spans hold. */
  sameUntil(us: number): number {
    return this.bounds[this.boundOf(us) + 1] ?? Infinity;
  }

  /** Index of the last bound that is not after this moment. */
  private boundOf(us: number): number {
    const { bounds } = this;
    const { last } = this;
    const after = bounds[last + 1] ?? Infinity;
    if (us >= (bounds[last] ?? Infinity)) {
      if (us < after) return last;
      if (us < (bounds[last + 2] ?? Infinity)) return (this.last = last + 1);
    }
    let low = 0;
    let high = bounds.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((bounds[middle] ?? Infinity) <= us) low = middle;
      else high = middle - 1;
    }
    return (this.last = low);
  }
}

/** The first of some spans, in their own order, that a stretch of time meets. */
export class FirstSpanMet {
  private readonly spans: readonly Span[];
  /** Up to each, the latest end. */
  private readonly latestToUs: readonly number[];
  /** From each on, the earliest beginning. */
  private readonly earliestFromUs: readonly number[];

  constructor(spans: readonly Span[]) {
    this.spans = spans;
    let latest = -Infinity;
    this.latestToUs = spans.map(({ toUs }) => (latest = Math.max(latest, toUs)));
    this.earliestFromUs = earliestFromEach(spans.map(({ fromUs }) => fromUs));
  }

  /** Index of the first with `fromUs` ≤ `untilUs` and `toUs` > `sinceUs`; −1 for none. */
  indexOf(sinceUs: number, untilUs: number): number {
    const { spans, latestToUs, earliestFromUs } = this;
    let index = firstWhere(spans.length, (at) => (latestToUs[at] ?? Infinity) > sinceUs);
    for (; index < spans.length && (earliestFromUs[index] ?? Infinity) <= untilUs; index++) {
      const span = spans[index];
      if (span !== undefined && untilUs >= span.fromUs && sinceUs < span.toUs) return index;
    }
    return -1;
  }
}

/** The last of some moments, in their own order, that has been reached. */
export class LastReached {
  private readonly earliestUs: readonly number[];

  constructor(momentsUs: readonly number[]) {
    this.earliestUs = earliestFromEach(momentsUs);
  }

  /** Its index; −1 when none has been reached. */
  indexAt(us: number): number {
    return firstWhere(this.earliestUs.length, (index) => !((this.earliestUs[index] ?? Infinity) <= us)) - 1;
  }
}

/** Of each value, the least from it to the end. */
function earliestFromEach(values: readonly number[]): number[] {
  const earliest = new Array<number>(values.length);
  let least = Infinity;
  for (let index = values.length - 1; index >= 0; index--) {
    least = Math.min(least, values[index] ?? Infinity);
    earliest[index] = least;
  }
  return earliest;
}

/** The first index from 0 at which this holds, `count` where it never does; once it holds, it holds for all that follow. */
export function firstWhere(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
