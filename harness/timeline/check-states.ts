/** What the proxy's check held of the backends at any time, from the proxy's own log. */
import type { ProxyLogLine } from './proxy-log.ts';

/** A change of what the proxy holds of one backend. */
export interface CheckChange {
  readonly atWallUs: number;
  readonly service: string;
  readonly up: boolean;
  readonly line: number;
}

/** Takes the proxy's log in its order. */
export class CheckStates {
  private readonly changes: CheckChange[] = [];
  private readonly now = new Map<string, boolean>();
  /** Times in which no backend was up, once they have been asked for. */
  private down: readonly { readonly fromUs: number; readonly untilUs: number; readonly line: number | null }[] | null =
    null;

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
   * The line at which the last backend was found down, if none was up at some moment of this span; null if one was, or if
   * nothing is known of any.
   */
  downLine(fromWallUs: number, toWallUs: number): number | null {
    this.down ??= this.downTimes();
    return this.down.find(({ fromUs, untilUs }) => fromUs <= toWallUs && untilUs >= fromWallUs)?.line ?? null;
  }

  private downTimes(): { fromUs: number; untilUs: number; line: number | null }[] {
    const up = new Map<string, boolean>([...this.now.keys()].map((service) => [service, true]));
    const times: { fromUs: number; untilUs: number; line: number | null }[] = [];
    let line: number | null = null;
    let fromUs = -Infinity;
    for (const change of [...this.changes, null]) {
      const untilUs = change?.atWallUs ?? Infinity;
      if (up.size > 0 && [...up.values()].every((isUp) => !isUp)) times.push({ fromUs, untilUs, line });
      if (change === null) break;
      up.set(change.service, change.up);
      fromUs = change.atWallUs;
      if (!change.up) line = change.line;
    }
    return times;
  }
}
