/** What the proxy's check held of the backends at any time, from the proxy's own log. */
import type { ProxyLogLine } from './proxy-log.ts';

/** A change of what the proxy holds of one backend. */
export interface CheckChange {
  readonly atWallUs: number;
  readonly service: string;
  readonly up: boolean;
  readonly line: number;
}

interface DownTime {
  readonly fromUs: number;
  readonly untilUs: number;
  readonly line: number;
}

/** Takes the proxy's log in its order. */
export class CheckStates {
  private readonly changes: CheckChange[] = [];
  private readonly now = new Map<string, boolean>();
  /** Of each backend the times in which it was down, once they have been asked for. */
  private down: readonly (readonly DownTime[])[] | null = null;

  addLogLine(line: ProxyLogLine): void {
    if (line.kind !== 'check') return;
    const { atWallUs, service, up, server, line: number } = line;
    // A balancer of balancers repeats what its members say.
    if (!server.startsWith('http')) return;
    const key = `${service} ${server}`;
    // Until it has been checked, the proxy takes each to be up.
    if ((this.now.get(key) ?? true) === up) return;
    this.now.set(key, up);
    this.down = null;
    this.changes.push({ atWallUs, service: key, up, line: number });
  }

  /** All changes, in the order of time. */
  all(): readonly CheckChange[] {
    return this.changes;
  }

  /**
   * The line at which the last backend was found down, if each was down at some moment of this span; null if one was up
   * throughout it, or if nothing is known of any. Not at one and the same moment: where a swap takes one colour out and
   * lets the other in, two checks end at once, and the proxy acts in one order and may log in the other.
   */
  downLine(fromWallUs: number, toWallUs: number): number | null {
    this.down ??= this.downTimes();
    let last: DownTime | undefined;
    for (const times of this.down) {
      const found = times.find(({ fromUs, untilUs }) => fromUs <= toWallUs && untilUs >= fromWallUs);
      if (found === undefined) return null;
      if (last === undefined || found.fromUs > last.fromUs) last = found;
    }
    return last?.line ?? null;
  }

  /** Of each backend, when it was down. */
  private downTimes(): DownTime[][] {
    return [...this.now.keys()].map((service) => {
      const own = this.changes.filter((change) => change.service === service);
      return own.flatMap(({ up, atWallUs, line }, index) =>
        up ? [] : [{ fromUs: atWallUs, untilUs: own[index + 1]?.atWallUs ?? Infinity, line }],
      );
    });
  }
}
