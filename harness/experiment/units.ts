/** The units of the site that an experiment has, and their ports and files on the server. */
import type { Experiment } from './experiment.ts';

/** One unit of the site, as containers/server names it. */
export interface Colour {
  readonly service: string;
  readonly socket: string;
  readonly internalSocket: string;
  readonly envFile: string;
  readonly releaseFile: string;
  readonly publicPort: number;
  readonly internalPort: number;
  readonly internalAddress: string;
  readonly requestLog: string;
  /** Its name among the proxy's services, where there are two. */
  readonly proxyService: string;
}

function colour(instance: string, proxyService: string, publicPort: number): Colour {
  const internalPort = publicPort + 1_000;
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

/** The unit that serves when the load begins, and the idle one of an experiment with two backends. */
const colours = [colour('demo', 'blue', 18_080), colour('demo-green', 'green', 18_180)] as const;

/** The site, whatever its units. */
export const site = {
  name: 'demo',
  /** Holds the socket that two colours share. */
  holder: 'site-holder@demo.service',
  hostHeader: 'demo.test',
  database: '/var/lib/site/demo/site.db',
  proxyFile: '/etc/traefik/dynamic/site.yml',
} as const;

/** How many public ports its units have: colours of one socket have one, and are one backend to a proxy. */
export function publicPorts({ sites, unit }: Pick<Experiment, 'sites' | 'unit'>): 1 | 2 {
  return unit.activation === 'shared' ? 1 : sites.backends;
}

/** The units of an experiment, the one that serves first at first. */
export function coloursOf(experiment: Pick<Experiment, 'sites' | 'unit'>): readonly [Colour, ...Colour[]] {
  const [first, second] = colours;
  if (experiment.sites.backends === 1) return [first];
  const { publicPort, socket } = first;
  return [first, publicPorts(experiment) === 1 ? { ...second, publicPort, socket } : second];
}
