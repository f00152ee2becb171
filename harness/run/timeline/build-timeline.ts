/** Joins what deployer, site, journal and proxy saw into one timeline. Pure. */
import type { QueueSample } from '../files/queues.ts';
import { ownServiceEvents } from './own-service-events.ts';
import type { EngineEvent } from '../files/engine-events.ts';
import type { DeployerMessage } from '../files/deployer-log.ts';
import { eventKinds, type EventKind, type TimelineEvent } from '../files/timeline.ts';
import { killingWords, messageIds, siteEventOf, type JournalLine } from '../files/journal.ts';
import type { CheckChange } from './check-states.ts';
import { portOf } from './check-states.ts';
import { proxyUnit, restartNumber } from '../../experiment/units.ts';
import { proxyEventIn } from './proxy-words.ts';

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
  readonly sites: readonly TimelineSite[];
  /**
   * Of a service of the user's own, which says nothing itself: samples of its ports, and whether a socket unit keeps them.
   */
  readonly own?: { readonly queues: readonly QueueSample[]; readonly hasSocket: boolean };
  /** In a release a process belongs to the deploy in which it begins or ends, since a bad one brings back an old version. */
  readonly isRelease: boolean;
}

/** A site, with the units that are started and stopped. */
export interface TimelineSite {
  readonly name: string;
  readonly colours: readonly {
    readonly service: string;
    readonly socket: string;
    readonly publicPort: number;
    readonly internalPort?: number;
  }[];
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

/** When a deploy began, in microseconds since the origin. */
export interface DeployBegin {
  readonly deploy: number;
  readonly atUs: number;
}

/** When each deploy of this site began; of several sites, those in which it was restarted. */
export function deployBegins(
  { deployer, originUs, sites, isRelease }: Pick<TimelineSources, 'deployer' | 'originUs' | 'sites' | 'isRelease'>,
  name: string,
): DeployBegin[] {
  const restarted = new Set(
    deployer.flatMap((message) => (message.kind === 'site-begin' && message.site === name ? [message.restart] : [])),
  );
  return deployer.flatMap((message) =>
    message.kind === 'deploy-begin' && ((sites.length === 1 && !isRelease) || restarted.has(message.restart))
      ? [{ deploy: message.restart, atUs: Math.round(message.atMonotonicUs - originUs) }]
      : [],
  );
}

/** A site among the sources: its name in events, and how its restarts are counted. */
interface Numbered extends TimelineSite {
  readonly begins: readonly DeployBegin[];
  /** What its events name it by: nothing where it is the only one. */
  readonly named: { readonly site?: string };
  /** The restart of this deploy; 0 before the first. */
  restartOf(deploy: number): number;
  /** The restart that had begun last at this time. */
  restartAt(atUs: number): number;
}

function numbered(sources: TimelineSources): Numbered[] {
  const { sites } = sources;
  return sites.map((site, index) => {
    const begins = deployBegins(sources, site.name);
    const restartOf = (deploy: number): number => (deploy < 1 ? 0 : restartNumber(deploy, index, sites.length));
    return {
      ...site,
      begins,
      named: sites.length === 1 ? {} : { site: site.name },
      restartOf,
      restartAt: (atUs) => restartOf(begins.findLast((begin) => begin.atUs <= atUs)?.deploy ?? 0),
    };
  });
}

/** All events in order of time. */
export function buildTimeline(sources: TimelineSources): TimelineEvent[] {
  const sites = numbered(sources);
  const events = [
    ...deployEvents(sources, sites),
    ...siteEvents(sources, sites),
    ...(sources.own === undefined ? unitEvents(sources, sites) : ownEvents(sources, sources.own, sites)),
    ...proxyUnitEvents(sources, sites),
    ...sources.proxy,
    ...checkEvents(sources, sites),
    ...engineEvents(sources, sites),
    at(0, { kind: 'load-begin', source: 'deployer', restart: 0 }),
    ...(sources.loadEndUs === undefined
      ? []
      : [at(sources.loadEndUs, { kind: 'load-end', source: 'deployer', restart: lastRestart(sites, Infinity) })]),
  ];
  const rank = new Map(eventKinds.map((kind, index) => [kind, index]));
  return events.sort((a, b) => a.atUs - b.atUs || (rank.get(a.kind) ?? 0) - (rank.get(b.kind) ?? 0));
}

/** The restart of any site that had begun last at this time. */
function lastRestart(sites: readonly Numbered[], atUs: number): number {
  return Math.max(0, ...sites.map((site) => site.restartAt(atUs)));
}

/** An event, at a whole microsecond; its fields stand in the order of the declaration. */
function at(atUs: number, { kind, source, restart, ...more }: Omit<TimelineEvent, 'atUs'>): TimelineEvent {
  return { atUs: Math.round(atUs), kind, source, restart, ...more };
}

/** Of several sites, what is said of a deploy as a whole is an event of each site that it restarted. */
function deployEvents({ deployer, originUs }: TimelineSources, sites: readonly Numbered[]): TimelineEvent[] {
  return deployer.flatMap((message) => {
    if (!('restart' in message) || message.kind === 'never-ready' || message.kind === 'rested') return [];
    const { kind, restart: deploy, version, failure, task } = message;
    const atUs = message.atMonotonicUs - originUs;
    const detail = [task, failure].filter((text) => text !== undefined).join(': ');
    const event = (site: Numbered): TimelineEvent =>
      at(atUs, {
        kind,
        source: 'deployer',
        restart: site.restartOf(deploy),
        ...site.named,
        version,
        ...(detail !== '' && { detail }),
      });
    if (message.site !== undefined) return sites.filter(({ name }) => name === message.site).map(event);
    // A task on the server itself is about no site in particular.
    if (task !== undefined) return [at(atUs, { kind, source: 'deployer', restart: 0, version, detail })];
    return sites.filter(({ begins }) => begins.some((begin) => begin.deploy === deploy)).map(event);
  });
}

/**
 * Deploy n replaces version n − 1 by version n: the version tells which restart an event belongs to; but for a release,
 * where its time does.
 */
function siteEvents({ journal, originUs, isRelease }: TimelineSources, sites: readonly Numbered[]): TimelineEvent[] {
  const [only] = sites;
  return journal.flatMap((line) => {
    const event = siteEventOf(line);
    const release = event === undefined ? null : /^v(\d+)$/u.exec(event.version);
    const site = sites.length === 1 ? only : sites.find(({ colours }) => colours.some(isUnit(line.unit)));
    if (event === undefined || release === null || site === undefined) return [];
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
    const atUs = atMonotonicUs - originUs;
    const byVersion = site.restartOf(going === undefined ? number : number + 1);
    return [
      at(atUs, {
        kind,
        source: 'app',
        restart: isRelease ? site.restartAt(atUs) : byVersion,
        ...site.named,
        version,
        instance,
        ...extra,
      }),
    ];
  });
}

/** Is this the unit of a colour? */
function isUnit(unit: string | undefined): (colour: TimelineSite['colours'][number]) => boolean {
  return ({ service, socket }) => service === unit || socket === unit;
}

function unitEvents({ journal, originUs }: TimelineSources, sites: readonly Numbered[]): TimelineEvent[] {
  const kinds = new Map<string | undefined, Partial<Record<'service' | 'socket', EventKind>>>([
    [messageIds.unitStopped, { service: 'unit-stopped', socket: 'socket-stopped' }],
    [messageIds.unitStarted, { service: 'unit-started', socket: 'socket-started' }],
    // A socket whose service may not be started again fails, and closes its port.
    [messageIds.unitFailed, { socket: 'socket-stopped' }],
    [messageIds.processExited, { service: 'main-exited' }],
  ]);
  return journal.flatMap((line) => {
    const site = sites.find(({ colours }) => colours.some(isUnit(line.unit)));
    if (site === undefined) return [];
    const part = site.colours.some(({ service }) => service === line.unit) ? 'service' : 'socket';
    const isKilling = part === 'service' && killingWords.test(line.message);
    const kind = isKilling ? 'killing' : kinds.get(line.messageId)?.[part];
    const atUs = line.atMonotonicUs - originUs;
    if (kind === undefined) return [];
    const event = { kind, source: 'journal', restart: site.restartAt(atUs), ...site.named } as const;
    return [at(atUs, { ...event, detail: line.message })];
  });
}

function ownEvents(
  { journal, deployer, originUs }: TimelineSources,
  own: NonNullable<TimelineSources['own']>,
  [site]: readonly Numbered[],
): TimelineEvent[] {
  if (site === undefined) return [];
  const { colours, begins } = site;
  const readyUs = deployer.flatMap((message) => (message.kind === 'ready' ? [message.atMonotonicUs - originUs] : []));
  const found = ownServiceEvents({
    ...own,
    ...{ journal, originUs, colours, readyUs },
    begins: begins.map(({ atUs }) => atUs),
  });
  return found.map((event) => at(event.atUs, { ...event, restart: site.restartAt(event.atUs) }));
}

/** What a proxy that is a unit says of its own end and beginning; its restart is the one that had begun last. */
function proxyUnitEvents({ journal, originUs }: TimelineSources, [site]: readonly Numbered[]): TimelineEvent[] {
  if (site?.colours.some(isUnit(proxyUnit.service)) !== true) return [];
  return journal.flatMap((line) => {
    const event = line.unit === proxyUnit.service ? proxyEventIn(line.message) : null;
    if (event === null) return [];
    const atUs = line.atMonotonicUs - originUs;
    const detail = `the proxy: ${event.said}`;
    return [at(atUs, { kind: event.kind, source: 'proxy', restart: site.restartAt(atUs), detail })];
  });
}

function checkEvents({ checks, wallOffsetUs, originUs }: TimelineSources, sites: readonly Numbered[]): TimelineEvent[] {
  return checks.flatMap(({ atWallUs, service, up }) => {
    const atUs = atWallUs - wallOffsetUs - originUs;
    const port = portOf(service);
    const site = sites.length === 1 ? sites[0] : sites.find((of) => of.colours.some((one) => one.publicPort === port));
    if (site === undefined) return [];
    const kind = up ? 'check-up' : 'check-down';
    return [at(atUs, { kind, source: 'proxy', restart: site.restartAt(atUs), ...site.named, detail: service })];
  });
}

function engineEvents(
  { engine, wallOffsetUs, originUs }: TimelineSources,
  sites: readonly Numbered[],
): TimelineEvent[] {
  return engine
    .filter(({ action }) => action === 'die' || action === 'oom' || action === 'lost')
    .map(({ atWallUs, action, role, detail }) => {
      const atUs = atWallUs - wallOffsetUs - originUs;
      const restart = lastRestart(sites, atUs);
      return at(atUs, { kind: 'container-ended', source: 'engine', restart, detail: `${role}: ${action} ${detail}` });
    });
}
