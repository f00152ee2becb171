/** The sites that an experiment has, their units, and the ports and files of each on the server. */
import { posix } from 'node:path';
import type { Experiment } from './experiment.ts';
import type { OwnService } from './own-service.ts';
import { portsOfProxy } from './ports.ts';

/** One unit of a site, as containers/server names it. */
export interface Colour {
  readonly service: string;
  readonly socket: string;
  readonly internalSocket: string;
  readonly envFile: string;
  readonly releaseFile: string;
  readonly publicPort: number;
  readonly internalPort: number;
  readonly internalAddress: string;
  /** The log that the site itself writes; null of a service of the user's own, which has none that is known. */
  readonly requestLog: string | null;
  /** Its name among the proxy's services, where there are two. */
  readonly proxyService: string;
}

/** A site: a domain with a database of its own, served by one unit, or by two in turn. */
export interface Site {
  readonly name: string;
  /** The Host header that names it. */
  readonly hostHeader: string;
  /** Holds the socket that two colours share. */
  readonly holder: string;
  readonly database: string;
  /** The unit that serves when the load begins, and the idle one of a site with two. */
  readonly colours: readonly [Colour, ...Colour[]];
}

type Shape = Pick<Experiment, 'sites' | 'unit' | 'service'>;

/** The site that every lab has; each further one is as it is, with a number. */
const firstName = 'demo';
/** The proxy as a unit of the server (containers/proxy-unit). */
export const proxyUnit = { service: 'traefik.service', socket: 'traefik.socket', publicPort: 80 } as const;

/** Deploys of the proxy itself. */
export type ProxyAction = Extract<Experiment['deploy']['action'], `proxy-${string}`>;

/** Is it the proxy that such a deploy restarts? */
export function isOfProxy(action: Experiment['deploy']['action']): action is ProxyAction {
  return action.startsWith('proxy-');
}

/** The proxy's program. */
export const proxyProgram = '/usr/local/bin/traefik';
/** Where the program of another version lies until an upgrade puts it in place. */
export const otherProxyProgram = '/opt/traefik/other';
/** The middleware by which two files of routes that serve alike differ. */
export const reloadMark = 'reload-mark';
/** The proxy's own settings, which it reads at its start. */
export const proxySettingsFile = '/etc/traefik/traefik.yml';
/** The proxy's own file, with the routes of all sites. */
export const proxyFile = '/etc/traefik/dynamic/site.yml';

function colour(instance: string, proxyService: string, publicPort: number, internalPort: number): Colour {
  return {
    service: `site@${instance}.service`,
    socket: `site@${instance}.socket`,
    internalSocket: `site-internal@${instance}.socket`,
    envFile: `/etc/site/${instance}.experiment.env`,
    releaseFile: `/etc/site/${instance}.release.env`,
    publicPort,
    internalPort,
    internalAddress: `127.0.0.1:${internalPort}`,
    requestLog: `/var/log/site/${instance}.requests.ndjson`,
    proxyService,
  };
}

/** How many public ports a site's units have: colours of one socket have one, and are one backend to a proxy. */
export function publicPorts({ sites, unit }: Shape): 1 | 2 {
  return unit.activation === 'shared' ? 1 : sites.backends;
}

/** How many sites there are. */
export function siteCount({ sites }: Pick<Experiment, 'sites'>): number {
  return sites.count ?? 1;
}

/** The sites of an experiment, in the order of their ports; the load's slots go to them in turn. */
export function sitesOf(experiment: Shape): readonly [Site, ...Site[]] {
  if (experiment.service !== undefined) return [ownSite(experiment.service, experiment.sites.backends)];
  const all = Array.from({ length: siteCount(experiment) }, (_, index) => siteAt(experiment, index));
  return [siteAt(experiment, 0), ...all.slice(1)];
}

function siteAt(experiment: Shape, index: number): Site {
  const name = index === 0 ? firstName : `${firstName}${index + 1}`;
  const prefix = index === 0 ? '' : `${name}-`;
  const first = colour(name, `${prefix}blue`, 18_080 + index, 19_080 + index);
  const { publicPort, socket } = first;
  const second = colour(`${name}-green`, `${prefix}green`, 18_180 + index, 19_180 + index);
  const beside = publicPorts(experiment) === 1 ? { ...second, publicPort, socket } : second;
  return {
    name,
    hostHeader: `${name}.test`,
    holder: `site-holder@${name}.service`,
    database: `/var/lib/site/${name}/site.db`,
    colours: experiment.sites.backends === 1 ? [first] : [first, beside],
  };
}

/** The second colour of a service listens so many ports further: the first of these that meets no other port. */
const colourPorts = [1_000, 2_000, 3_000, -1_000, -2_000, -3_000];

function furtherPorts(ports: readonly number[]): number {
  const taken = [...ports, ...portsOfProxy];
  const isFree = (port: number): boolean => port > 0 && port < 65_536 && !taken.includes(port);
  return colourPorts.find((further) => ports.every((port) => isFree(port + further))) ?? 0;
}

/** A service of the user's own as the site of its lab: its units keep the names that their files have. */
function ownSite(service: OwnService, backends: 1 | 2): Site {
  const stem = posix.basename(service.unit ?? service.name, '.service');
  const socketStem = posix.basename(service.socket ?? stem, '.socket');
  const publicPort = portOf(service.public);
  const internalPort = service.internal === undefined ? publicPort : portOf(service.internal);
  const colourAt = (suffix: '' | '-green', further: number): Colour => ({
    service: `${stem}${suffix}.service`,
    socket: `${socketStem}${suffix}.socket`,
    internalSocket: `${stem}${suffix}-internal.socket`,
    envFile: `/etc/restart-proof/${stem}${suffix}.experiment.env`,
    releaseFile: `/etc/restart-proof/${stem}${suffix}.release.env`,
    publicPort: publicPort + further,
    internalPort: internalPort + further,
    internalAddress: `127.0.0.1:${internalPort + further}`,
    requestLog: null,
    proxyService: suffix === '' ? 'blue' : 'green',
  });
  const first = colourAt('', 0);
  return {
    name: service.name,
    hostHeader: service.host ?? `${service.name}.test`,
    holder: `${stem}-holder.service`,
    database: service.database ?? '',
    colours: backends === 1 ? [first] : [first, colourAt('-green', furtherPorts([publicPort, internalPort]))],
  };
}

function portOf(address: string): number {
  return Number(address.split(':')[1]);
}

/** All units of all sites. */
export function coloursOf(experiment: Shape): Colour[] {
  return sitesOf(experiment).flatMap(({ colours }) => colours);
}

/** Which site a slot's request goes to: they take turns. */
export function siteIndexOf(seq: number, count: number): number {
  return seq % count;
}

/**
 * Restarts are counted over all sites, from 1: the first deploy restarts the first site (1), the second (2) …
 * @param deploy from 1
 * @param index of the site, from 0
 */
export function restartNumber(deploy: number, index: number, count: number): number {
  return (deploy - 1) * count + index + 1;
}

/** The deploy that a restart is part of, from 1, and the index of its site. */
export function deployOf(restart: number, count: number): { deploy: number; index: number } {
  return { deploy: Math.floor((restart - 1) / count) + 1, index: (restart - 1) % count };
}
