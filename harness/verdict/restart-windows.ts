/** One restart's moments, out of the timeline. */
import type { Experiment } from '../experiment/experiment.ts';
import { deployOf, isOfProxy } from '../experiment/units.ts';
import type { EventKind, TimelineEvent } from '../run/files/timeline.ts';

/** The moments of a restart that are the first event of a kind. */
const firstOf = {
  deployEndUs: 'deploy-end',
  /** Of several sites, or of a release: when the deploy came to this one. */
  siteBeginUs: 'site-begin',
  /** From here on the deploy holds the old version to be out of rotation. */
  retireUs: 'retire',
  sigtermUs: 'sigterm',
  /** systemd sent SIGKILL, since the process had not ended in its TimeoutStopSec. */
  killedUs: 'killing',
  /** A socket unit that shares the service's fate closed its port. */
  socketStoppedUs: 'socket-stopped',
  acceptingUs: 'accepting',
  readyUs: 'ready',
  /** The new version was not ready in time: the old one, which serves on, is neither stopped nor replaced. */
  givenUpUs: 'given-up',
  /** A bad version began to be taken back. */
  rollBackUs: 'roll-back',
  /** A user's service answered steadily from here on. */
  steadyUs: 'steady',
  firstAnswerUs: 'proxy-first-answer',
} as const satisfies Record<string, EventKind>;

/** When each thing happened in one restart, in microseconds since the run's origin; null where it was not seen. */
export interface RestartWindow extends Readonly<Record<keyof typeof firstOf, number | null>> {
  /** Counted over all sites, from 1. */
  readonly restart: number;
  /** The site that was restarted. */
  readonly site: string;
  /** The deploy that it is part of, from 1: of several sites one deploy restarts each. */
  readonly deploy: number;
  readonly deployBeginUs: number;
  readonly acceptStoppedUs: number | null;
  /** Number of the timeline's line that shows it (else the deploy's), from 1. */
  readonly acceptStoppedLine: number;
  /** Kept connections that were idle then: each still carries one request in a polite drain. */
  readonly idleWhenStopped: number;
  /** The old process was gone. */
  readonly exitUs: number | null;
  /** The socket's port was open again. */
  readonly socketStartedUs: number | null;
  /** The new process was there. */
  readonly startUs: number | null;
  readonly internalListeningUs: number | null;
  /** Of a bad release: times in which the port was closed once more, since the way back restarts a site that had come up. */
  readonly closedAgain: readonly ClosedAgain[];
}

/** From a stop to the next accept; its end may be infinite. */
interface ClosedAgain {
  readonly fromUs: number;
  readonly toUs: number;
  /** Number of the timeline's line that shows the stop, from 1. */
  readonly line: number;
}

/**
 * The restarts of a timeline, in order.
 * @param sites their names
 */
export function restartWindows(timeline: readonly TimelineEvent[], sites: readonly string[]): RestartWindow[] {
  const numbers = [
    ...new Set(timeline.filter(({ kind }) => kind === 'deploy-begin').map(({ restart }) => restart)),
  ].sort((a, b) => a - b);
  const byRestart = Map.groupBy(timeline, ({ restart }) => restart);
  return numbers.map((restart) => {
    const { deploy, index } = deployOf(restart, sites.length);
    const own = byRestart.get(restart) ?? [];
    const deployBeginUs = own.find(({ kind }) => kind === 'deploy-begin')?.atUs ?? 0;
    // What a release that could not start said of its own end, earlier, belongs to the deploy before.
    const seen = own.filter(({ atUs }) => atUs >= deployBeginUs);
    const first = (kind: EventKind): number | null => seen.find((event) => event.kind === kind)?.atUs ?? null;
    const last = (kind: EventKind): number | null => seen.findLast((event) => event.kind === kind)?.atUs ?? null;
    const moments = Object.entries(firstOf).map(([name, kind]) => [name, first(kind)]);
    const firsts = Object.fromEntries(moments) as Record<keyof typeof firstOf, number | null>;
    const stopped = seen.find(({ kind }) => kind === 'accept-stopped')?.connections;
    const showing = (['accept-stopped', 'exit', 'main-exited', 'unit-stopped', 'deploy-begin'] as const)
      .map((kind) => seen.find((event) => event.kind === kind))
      .find((event) => event !== undefined);
    // Of a version that was given up the ends are its own, and not those of the old one.
    const exitUs = firsts.givenUpUs !== null ? null : (first('exit') ?? first('main-exited') ?? first('unit-stopped'));
    return {
      restart,
      site: sites[index] ?? '',
      deploy,
      deployBeginUs,
      ...firsts,
      // A process that dies of the signal says nothing: then the port closed when systemd saw it gone.
      acceptStoppedUs: first('accept-stopped') ?? exitUs,
      acceptStoppedLine: showing === undefined ? 0 : timeline.indexOf(showing) + 1,
      idleWhenStopped: Math.max(0, (stopped?.open ?? 0) - (stopped?.inFlight ?? 0)),
      exitUs,
      // The last: a socket may be started in vain first.
      socketStartedUs: firsts.socketStoppedUs === null ? null : last('socket-started'),
      startUs: last('start'),
      internalListeningUs: last('internal-listening'),
      closedAgain: firsts.rollBackUs === null ? [] : closedAgain(seen, timeline),
    };
  });
}

/** In the order of time, from the first accept of a restart's own process on. */
function closedAgain(seen: readonly TimelineEvent[], timeline: readonly TimelineEvent[]): ClosedAgain[] {
  const found: ClosedAgain[] = [];
  let stop: TimelineEvent | undefined;
  const accepting = seen.findIndex(({ kind }) => kind === 'accepting');
  for (const event of accepting < 0 ? [] : seen.slice(accepting)) {
    if (event.kind === 'accept-stopped' || event.kind === 'exit' || event.kind === 'main-exited') stop ??= event;
    if (event.kind !== 'accepting' || stop === undefined) continue;
    found.push({ fromUs: stop.atUs, toUs: event.atUs, line: timeline.indexOf(stop) + 1 });
    stop = undefined;
  }
  if (stop !== undefined) found.push({ fromUs: stop.atUs, toUs: Infinity, line: timeline.indexOf(stop) + 1 });
  return found;
}

/** An outage window: from the last accept of the old process to the first accept of a new one. */
export interface Outage {
  readonly fromUs: number;
  readonly toUs: number;
  /** Did a process accept again? If not, the window is cut at the end of the load. */
  readonly hasEnded: boolean;
}

/**
 * The outage window of each restart; null where nobody saw the old process stop. Of a restart whose own process never
 * accepted, the window goes on to the next process that did. It is empty where the new process accepted before the old
 * one stopped, as in a swap.
 * @param endUs the end of the load
 */
export function outagesOf(windows: readonly RestartWindow[], endUs: number): (Outage | null)[] {
  return windows.map(({ site, acceptStoppedUs, acceptingUs }) => {
    if (acceptStoppedUs === null) return null;
    const againUs = acceptingUs ?? nextAccept(windows, site, acceptStoppedUs);
    return { fromUs: acceptStoppedUs, toUs: Math.max(acceptStoppedUs, againUs ?? endUs), hasEnded: againUs !== null };
  });
}

/** When a process of the site accepted first after this moment. */
function nextAccept(windows: readonly RestartWindow[], site: string, afterUs: number): number | null {
  const later = windows
    .flatMap((other) => (other.site === site ? (other.acceptingUs ?? []) : []))
    .filter((us) => us > afterUs);
  return later.length === 0 ? null : Math.min(...later);
}

/**
 * From when on each restart's old version must not answer: once the deploy has retired it. Where the proxy's check does
 * the cut-over, the old version leaves by saying that it is not ready, and is in rotation until the check has seen that.
 * Of two colours of one socket the old one leaves by its drain, and answers beside the new one until it has ended.
 */
export function outOfRotation(
  windows: readonly RestartWindow[],
  timeline: readonly TimelineEvent[],
  { deploy, proxy, unit }: Pick<Experiment, 'deploy' | 'proxy' | 'unit'>,
): (number | null)[] {
  const { check } = proxy;
  // The site goes on with its version.
  if (isOfProxy(deploy.action)) return windows.map(() => null);
  if (unit.activation === 'shared' && deploy.oldEndsBy !== 'nothing') {
    return windows.map(({ retireUs, exitUs }) => exitUs ?? retireUs);
  }
  if (deploy.action !== 'swap' || proxy.cutover !== 'check' || check === undefined) {
    return windows.map(({ retireUs }) => retireUs);
  }
  const longestUs = (check.intervalMs + check.timeoutMs) * 1000;
  return windows.map(({ site, retireUs }) => {
    if (retireUs === null) return null;
    const seen = timeline.find(
      ({ kind, atUs, ...of }) => kind === 'check-down' && atUs >= retireUs && (of.site ?? site) === site,
    );
    return Math.min(seen?.atUs ?? Infinity, retireUs + longestUs);
  });
}
