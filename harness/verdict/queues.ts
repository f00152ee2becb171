/** How many connections waited in the listen queue of the site's port, restart by restart. */
import { SpansAt, type Span } from './span-lookup.ts';
import type { QueueSample } from '../run/queues.ts';

/** Takes samples in the order of time. */
export class QueuePeaks {
  private readonly ports: ReadonlySet<number>;
  private readonly originUs: number;
  private readonly spansAt: SpansAt;
  private readonly peaks: number[];
  private readonly lastWaiting = new Map<number, number>();
  private lastUs = -Infinity;
  /** Samples taken, of any port. */
  samples = 0;
  /** When the site's port was first seen, on the run's clock; null where it never was. */
  siteFirstUs: number | null = null;
  /** The first line that no sampler writes, from 1: it goes back in time, or repeats its port's; null where there is none. */
  wrongLine: number | null = null;

  /** @param ports the site's public ports */
  constructor(ports: readonly number[], originUs: number, spans: readonly Span[]) {
    this.ports = new Set(ports);
    this.originUs = originUs;
    this.spansAt = new SpansAt(spans);
    this.peaks = spans.map(() => 0);
  }

  add({ atMonotonicUs, port, waiting }: QueueSample): void {
    this.samples++;
    if (atMonotonicUs < this.lastUs || this.lastWaiting.get(port) === waiting) this.wrongLine ??= this.samples;
    this.lastUs = atMonotonicUs;
    this.lastWaiting.set(port, waiting);
    if (!this.ports.has(port)) return;
    const atUs = atMonotonicUs - this.originUs;
    this.siteFirstUs ??= atUs;
    for (const index of this.spansAt.at(atUs)) {
      this.peaks[index] = Math.max(this.peaks[index] ?? 0, waiting);
    }
  }

  /** Of each restart the most that waited; null where nothing was sampled at all. */
  result(): readonly (number | null)[] {
    return this.peaks.map((peak) => (this.samples === 0 ? null : peak));
  }
}
