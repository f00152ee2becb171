/** Counts of outcomes per stretch of time: what the bar charts show. */
import { classNames, type ClassName } from './palette.ts';

/** Counts per class in bins of equal width. A request is counted in the bin of its due time. */
export class Bins {
  readonly fromUs: number;
  readonly widthUs: number;
  readonly count: number;
  private readonly counts: Map<ClassName, Uint32Array>;

  constructor(fromUs: number, toUs: number, widthUs: number) {
    this.fromUs = fromUs;
    this.widthUs = widthUs;
    this.count = Math.max(1, Math.ceil((toUs - fromUs) / widthUs));
    this.counts = new Map(classNames.map((name) => [name, new Uint32Array(this.count)]));
  }

  /** Counts it, if its due time lies within. */
  add(dueUs: number, name: ClassName): void {
    const bin = Math.floor((dueUs - this.fromUs) / this.widthUs);
    if (bin < 0 || bin >= this.count) return;
    const counts = this.counts.get(name);
    if (counts !== undefined) counts[bin] = (counts[bin] ?? 0) + 1;
  }

  /** Counts of one class, bin by bin. */
  of(name: ClassName): readonly number[] {
    return [...(this.counts.get(name) ?? [])];
  }

  /** Classes of which there is at least one. */
  present(): ClassName[] {
    return classNames.filter((name) => this.of(name).some((count) => count > 0));
  }

  /** The fullest bin, all classes together. */
  highest(): number {
    return Math.max(...Array.from({ length: this.count }, (_, bin) => this.total(bin)));
  }

  private total(bin: number): number {
    return classNames.reduce((sum, name) => sum + (this.counts.get(name)?.[bin] ?? 0), 0);
  }
}
