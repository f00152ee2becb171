/** Numbers that come one by one, a million of them, in eight bytes each. */
export class Numbers {
  private values: Float64Array;
  private count = 0;

  /** @param expected how many will come: more may, but each doubling leaves the smaller half to be thrown away */
  constructor(expected = 1_024) {
    this.values = new Float64Array(Math.max(1, expected));
  }

  get length(): number {
    return this.count;
  }

  push(value: number): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count++] = value;
  }

  /** In the order in which they came; good until the next is pushed. */
  all(): Float64Array {
    return this.values.subarray(0, this.count);
  }

  /** In rising order. Their own order is lost. */
  sorted(): Float64Array {
    return this.all().sort();
  }
}

/** Places of these values in rising order; of equal ones, as they came. */
export function risingOrder(values: Float64Array): Uint32Array {
  const places = Uint32Array.from(values, (_, place) => place);
  return places.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
}
