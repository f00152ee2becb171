/** Joins what deployer, site, journal and proxy saw into one timeline. Pure. */
import type { EngineEvent } from '../files/engine-events.ts';
import type { DeployerMessage } from '../files/deployer-log.ts';
import { eventKinds, type EventKind, type TimelineEvent } from '../files/timeline.ts';
import { killingWords, messageIds, siteEventOf, type JournalLine } from '../files/journal.ts';
import type { CheckChange } from './check-states.ts';
import { restartAt } from './proxy-moments.ts';

/** What a timeline is made of. */
export interface TimelineSources {
  /** CLOCK_MONOTONIC of the first due time. */
  readonly originUs: number;
  /** Wall clock minus CLOCK_MONOTONIC, in microseconds. */
  readonly wallOffsetUs: number;
  readonly loadEndUs: number | undefined;
  readonly deployer: readonly DeployerMessage[];
  readonly journal: readonly JournalLine[];
  /** What the proxy's access log tells of each restart. */
  readonly proxy: readonly TimelineEvent[];
  /** What the proxy's check found, change by change. */
  readonly checks: readonly CheckChange[];
  readonly engine: readonly EngineEvent[];
  /** The units that are started and stopped. */
  readonly units: readonly { readonly service: string; readonly socket: string }[];
}

/** The site's events of the process that goes, and of the one that comes. */
const goingKinds: Readonly<Record<string, EventKind>> = {
  sigterm: 'sigterm',
  'not-ready': 'not-ready',
  'accept-stopped': 'accept-stopped',
  exit: 'exit',
};
const comingKinds: Readonly<Record<string, EventKind>> = {
  start: 'start',
  'internal-listening': 'internal-listening',
  accepting: 'accepting',
  ready: 'ready',
};

/** When each deploy began, in microseconds since the origin. */
export function deployBegins(deployer: readonly DeployerMessage[], originUs: number): number[] {
  return deployer.flatMap((message) =>
    message.kind === 'deploy-begin' ? [Math.round(message.atMonotonicUs - originUs)] : [],
  );
}

/** All events in order of time. */
export function buildTimeline(sources: TimelineSources): TimelineEvent[] {
  const fromDeployer = deployEvents(sources);
  const begins = deployBegins(sources.deployer, sources.originUs);
  const events = [
    ...fromDeployer,
    ...siteEvents(sources),
    ...unitEvents(sources, begins),
    ...sources.proxy,
    ...checkEvents(sources, begins),
    ...engineEvents(sources, begins),
    at(0, { kind: 'load-begin', source: 'deployer', restart: 0 }),
    ...(sources.loadEndUs === undefined
      ? []
      : [at(sources.loadEndUs, { kind: 'load-end', source: 'deployer', restart: begins.length })]),
  ];
  const rank = new Map(eventKinds.map((kind, index) => [kind, index]));
  return events.sort((a, b) => a.atUs - b.atUs || (rank.get(a.kind) ?? 0) - (rank.get(b.kind) ?? 0));
}

/** An event, at a whole microsecond; its fields stand in the order of the declaration. */
function at(atUs: number, { kind, source, restart, ...more }: Omit<TimelineEvent, 'atUs'>): TimelineEvent {
  return { atUs: Math.round(atUs), kind, source, restart, ...more };
}

function deployEvents({ deployer, originUs }: TimelineSources): TimelineEvent[] {
  return deployer.flatMap((message) =>
    'restart' in message && message.kind !== 'never-ready' && message.kind !== 'rested'
      ? [
          at(message.atMonotonicUs - originUs, {
            kind: message.kind,
            source: 'deployer',
            restart: message.restart,
            version: message.version,
            ...(message.failure !== undefined && { detail: message.failure }),
          }),
        ]
      : [],
  );
}

/** Restart n replaces version n − 1 by version n: the version tells which restart an event belongs to. */
function siteEvents({ journal, originUs }: TimelineSources): TimelineEvent[] {
  return journal.flatMap((line) => {
    const event = siteEventOf(line);
    const release = event === undefined ? null : /^v(\d+)$/u.exec(event.version);
    if (event === undefined || release === null) return [];
    const number = Number(release[1]);
    const { event: name, atMonotonicUs, version, instance, ...detail } = event;
    const going = goingKinds[name];
    const coming = comingKinds[name];
    const kind = going ?? coming;
    if (kind === undefined) return [];
    const { open, inFlight } = detail;
    const extra = {
      ...(typeof open === 'number' && typeof inFlight === 'number' && { connections: { open, inFlight } }),
      ...(Object.keys(detail).length > 0 && { detail: JSON.stringify(detail) }),
    };
    return [
      at(atMonotonicUs - originUs, {
        kind,
        source: 'app',
        restart: going === undefined ? number : number + 1,
        version,
        instance,
        ...extra,
      }),
    ];
  });
}

function unitEvents({ journal, originUs, units }: TimelineSources, begins: readonly number[]): TimelineEvent[] {
  const kinds = new Map<string | undefined, Partial<Record<'service' | 'socket', EventKind>>>([
    [messageIds.unitStopped, { service: 'unit-stopped', socket: 'socket-stopped' }],
    [messageIds.unitStarted, { service: 'unit-started', socket: 'socket-started' }],
    // A socket whose service may not be started again fails, and closes its port.
    [messageIds.unitFailed, { socket: 'socket-stopped' }],
    [messageIds.processExited, { service: 'main-exited' }],
  ]);
  return journal.flatMap((line) => {
    const part = units.some(({ service }) => service === line.unit)
      ? 'service'
      : units.some(({ socket }) => socket === line.unit)
        ? 'socket'
        : undefined;
    const isKilling = part === 'service' && killingWords.test(line.message);
    const kind = isKilling ? 'killing' : part === undefined ? undefined : kinds.get(line.messageId)?.[part];
    const atUs = line.atMonotonicUs - originUs;
    if (kind === undefined) return [];
    return [at(atUs, { kind, source: 'journal', restart: restartAt(begins, atUs), detail: line.message })];
  });
}

function checkEvents({ checks, wallOffsetUs, originUs }: TimelineSources, begins: readonly number[]): TimelineEvent[] {
  return checks.map(({ atWallUs, service, up }) => {
    const atUs = atWallUs - wallOffsetUs - originUs;
    const kind = up ? 'check-up' : 'check-down';
    return at(atUs, { kind, source: 'proxy', restart: restartAt(begins, atUs), detail: service });
  });
}

function engineEvents({ engine, wallOffsetUs, originUs }: TimelineSources, begins: readonly number[]): TimelineEvent[] {
  return engine
    .filter(({ action }) => action === 'die' || action === 'oom' || action === 'lost')
    .map(({ atWallUs, action, role, detail }) => {
      const atUs = atWallUs - wallOffsetUs - originUs;
      const restart = restartAt(begins, atUs);
      return at(atUs, { kind: 'container-ended', source: 'engine', restart, detail: `${role}: ${action} ${detail}` });
    });
}
