/** Stretches of the run. */

/** In microseconds since the origin; its end may be infinite. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Spans that are asked of many moments; `fromUs` belongs to a span, and `toUs` does not. They may overlap. */
export class SpanSet {
  /** Rising: at each even one a stretch without gap begins, at each odd one it ends. */
  private readonly bounds: readonly number[];

  constructor(spans: readonly Span[]) {
    const bounds: number[] = [];
    for (const { fromUs, toUs } of spans
      .filter((span) => span.fromUs < span.toUs)
      .sort((a, b) => a.fromUs - b.fromUs)) {
      if (fromUs <= (bounds.at(-1) ?? -Infinity) && bounds.length > 0)
        bounds.push(Math.max(bounds.pop() ?? toUs, toUs));
      else bounds.push(fromUs, toUs);
    }
    this.bounds = bounds;
  }

  /** Does it lie in any? */
  holds(us: number): boolean {
    return this.reached(us) % 2 === 1;
  }

  /** Until when, from this moment on, {@link holds} stays as it is. */
  sameUntil(us: number): number {
    return this.bounds[this.reached(us)] ?? Infinity;
  }

  /** How many bounds are not after this moment. */
  private reached(us: number): number {
    let [low, high] = [0, this.bounds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.bounds[middle] ?? Infinity) <= us) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
