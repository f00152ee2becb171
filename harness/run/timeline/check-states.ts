/** What the proxy's check held of the backends at any time, from the proxy's own log. */
import type { ProxyLogLine } from '../files/proxy-log.ts';

/** A change of what the proxy holds of one backend. */
export interface CheckChange {
  readonly atWallUs: number;
  readonly service: string;
  readonly up: boolean;
  readonly line: number;
}

/**
 * Where a swap takes one colour out and lets the other in, two checks end at one tick, and the proxy acts in one order and
 * may log in the other (some ms apart at most, where it was looked at). So long a backend may have been down beyond the
 * line that says that it is up.
 */
const oneTickUs = 10_000;

interface DownTime {
  readonly fromUs: number;
  readonly untilUs: number;
  readonly line: number;
}

/** The port at the end of a backend's address, as in `demo@file http://127.0.0.1:18080`; NaN where there is none. */
export function portOf(backend: string): number {
  return Number(/:(\d+)\/?$/u.exec(backend)?.[1]);
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
   * The times in which none of these backends was up, with the line at which the last was found down.
   * @param ports of one site's backends; all backends where it is left out
   */
  downTimes(ports?: readonly number[]): DownTime[] {
    const backends = [...this.now.keys()].filter((key) => ports === undefined || ports.includes(portOf(key)));
    const [first = [], ...others] = backends.map((key) => this.downTimesOf(key, backends.length));
    return others.reduce((all, own) => all.flatMap((one) => own.flatMap((other) => meeting(one, other))), first);
  }

  private downTimesOf(service: string, backends: number): DownTime[] {
    const own = this.changes.filter((change) => change.service === service);
    const slackUs = backends > 1 ? oneTickUs : 0;
    return own.flatMap(({ up, atWallUs, line }, index) => {
      const untilUs = (own[index + 1]?.atWallUs ?? Infinity) + slackUs;
      return up ? [] : [{ fromUs: atWallUs, untilUs, line }];
    });
  }
}

function meeting(one: DownTime, other: DownTime): DownTime[] {
  const { fromUs, line } = one.fromUs > other.fromUs ? one : other;
  const untilUs = Math.min(one.untilUs, other.untilUs);
  return fromUs <= untilUs ? [{ fromUs, untilUs, line }] : [];
}
