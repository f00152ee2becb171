/** Counts of outcomes per stretch of time: what the bar charts show. */
import { classNames, type ClassName } from './palette.ts';

/** Counts per class in bins of equal width. A request is counted in the bin of its due time. */
export class Bins {
  readonly fromUs: number;
  readonly widthUs: number;
  readonly count: number;
  private readonly counts: Map<ClassName, number[]>;

  constructor(fromUs: number, toUs: number, widthUs: number) {
    this.fromUs = fromUs;
    this.widthUs = widthUs;
    this.count = Math.max(1, Math.ceil((toUs - fromUs) / widthUs));
    this.counts = new Map(classNames.map((name) => [name, Array<number>(this.count).fill(0)]));
  }

  /** Counts a request, if its due time lies within. */
  add(dueUs: number, name: ClassName): void {
    const bin = Math.floor((dueUs - this.fromUs) / this.widthUs);
    const counts = this.counts.get(name);
    if (counts !== undefined && bin >= 0 && bin < this.count) counts[bin] = (counts[bin] ?? 0) + 1;
  }

  /** Counts of one class, bin by bin. */
  of(name: ClassName): readonly number[] {
    return this.counts.get(name) ?? [];
  }

  /** Classes that have at least one request. */
  present(): ClassName[] {
    return classNames.filter((name) => this.of(name).some((count) => count > 0));
  }

  /** The fullest bin, all classes together. */
  highest(): number {
    const totals = this.of('ok').map((_, bin) => classNames.reduce((sum, name) => sum + (this.of(name)[bin] ?? 0), 0));
    return Math.max(...totals);
  }
}
