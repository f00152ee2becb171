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

  addLogLine(line: ProxyLogLine): void {
    if (line.kind !== 'check') return;
    const { atWallUs, service, up, server, line: number } = line;
    // A balancer of balancers repeats what its members say.
    if (!server.startsWith('http')) return;
    const key = `${service} ${server}`;
    // Until it has been checked, the proxy takes each to be up.
    if ((this.now.get(key) ?? true) === up) return;
    this.now.set(key, up);
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
    const up = new Map<string, boolean>([...this.now.keys()].map((service) => [service, true]));
    let line: number | null = null;
    let atUs = -Infinity;
    for (const change of [...this.changes, null]) {
      const untilUs = change?.atWallUs ?? Infinity;
      const noneUp = up.size > 0 && [...up.values()].every((isUp) => !isUp);
      if (noneUp && atUs <= toWallUs && untilUs >= fromWallUs) return line;
      if (change === null) break;
      up.set(change.service, change.up);
      atUs = change.atWallUs;
      if (!change.up) line = change.line;
    }
    return null;
  }
}
