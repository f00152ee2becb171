/** Of each restart: the proxy's first and last answer of its own (an error without the site), and the new version's first. */
import type { AccessLine } from './access-log.ts';
import type { TimelineEvent } from './timeline.ts';

/** Takes the lines of the load's own requests, in any order. */
export class ProxyMoments {
  private readonly begins: readonly number[];
  private readonly zeroWallUs: number;
  private readonly firstErrors = new Map<number, Moment>();
  private readonly lastErrors = new Map<number, Moment>();
  private readonly firstAnswers = new Map<number, Moment>();

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
    const moment = (): Moment => ({ endUs, detail: `${status} for ${requestId}` });
    // The site names its version in every answer: one without is the proxy's own.
    if (status >= 400 && version === undefined) {
      if (endUs < (this.firstErrors.get(restart)?.endUs ?? Infinity)) this.firstErrors.set(restart, moment());
      if (endUs > (this.lastErrors.get(restart)?.endUs ?? -Infinity)) this.lastErrors.set(restart, moment());
    } else if (endUs < (this.firstAnswers.get(restart)?.endUs ?? Infinity) && version === `v${restart}`) {
      this.firstAnswers.set(restart, moment());
    }
  }

  events(): TimelineEvent[] {
    return [
      ...eventsOf('proxy-first-error', this.firstErrors),
      ...eventsOf('proxy-first-answer', this.firstAnswers),
      ...eventsOf('proxy-last-error', this.lastErrors),
    ];
  }
}

/** When an answer of the proxy ended, to a fraction of a microsecond, so that which of two was first does not hang on rounding. */
interface Moment {
  readonly endUs: number;
  readonly detail: string;
}

function eventsOf(kind: TimelineEvent['kind'], moments: ReadonlyMap<number, Moment>): TimelineEvent[] {
  return [...moments].map(([restart, { endUs, detail }]) => ({
    atUs: Math.round(endUs),
    kind,
    source: 'proxy',
    restart,
    detail,
  }));
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
