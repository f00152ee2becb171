/** Of each restart: the proxy's first and last answer of its own (an error without the site), and the new version's first. */
import type { AccessLine } from './access-log.ts';
import type { TimelineEvent } from './event.ts';

/** Takes the lines of the load's own requests, in any order. */
export class ProxyMoments {
  private readonly begins: readonly number[];
  private readonly zeroWallUs: number;
  private readonly firstErrors = new Map<number, TimelineEvent>();
  private readonly lastErrors = new Map<number, TimelineEvent>();
  private readonly firstAnswers = new Map<number, TimelineEvent>();

  /**
   * @param begins when each deploy began, in microseconds since the run's origin, in order
   * @param zeroWallUs wall clock of the engine's kernel at the origin
   */
  constructor(begins: readonly number[], zeroWallUs: number) {
    this.begins = begins;
    this.zeroWallUs = zeroWallUs;
  }

  add({ startWallUs, durationUs, status, version, requestId }: AccessLine): void {
    const endUs = startWallUs + durationUs - this.zeroWallUs;
    const restart = restartAt(this.begins, endUs);
    if (restart === 0) return;
    const event = (kind: TimelineEvent['kind']): TimelineEvent => ({
      atUs: Math.round(endUs),
      kind,
      source: 'proxy',
      restart,
      detail: `${status} for ${requestId}`,
    });
    const isBefore = (other: TimelineEvent | undefined): boolean => Math.round(endUs) < (other?.atUs ?? Infinity);
    // The site names its version in every answer: one without is the proxy's own.
    if (status >= 400 && version === undefined) {
      if (isBefore(this.firstErrors.get(restart))) this.firstErrors.set(restart, event('proxy-first-error'));
      if (Math.round(endUs) > (this.lastErrors.get(restart)?.atUs ?? -Infinity)) {
        this.lastErrors.set(restart, event('proxy-last-error'));
      }
    } else if (version === `v${restart}` && isBefore(this.firstAnswers.get(restart))) {
      this.firstAnswers.set(restart, event('proxy-first-answer'));
    }
  }

  events(): TimelineEvent[] {
    return [...this.firstErrors.values(), ...this.firstAnswers.values(), ...this.lastErrors.values()];
  }
}

/** Which restart had begun last at this time; 0 before the first. `begins` is in order. */
export function restartAt(begins: readonly number[], atUs: number): number {
  let [low, high] = [0, begins.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((begins[middle] ?? Infinity) <= atUs) low = middle + 1;
    else high = middle;
  }
  return low;
}
