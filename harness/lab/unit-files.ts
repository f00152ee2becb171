/** What an experiment changes on the server: environment of the site, and systemd drop-ins beside the units. */
import type { Experiment } from '../scenario/experiment.ts';
import type { LabFile } from './files.ts';

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
  hostHeader: 'demo.test',
  database: '/var/lib/site/demo/site.db',
  proxyFile: '/etc/traefik/dynamic/site.yml',
} as const;

/** The units of an experiment, the one that serves first at first. */
export function coloursOf({ sites }: Pick<Experiment, 'sites'>): readonly [Colour, ...Colour[]] {
  return sites.backends === 2 ? colours : [colours[0]];
}

/** Drop-ins and env files of this experiment, to be put beside the files of containers/server. */
export function experimentFiles(experiment: Experiment): LabFile[] {
  return coloursOf(experiment).flatMap((of) => colourFiles(experiment, of));
}

function colourFiles({ id, app, unit, sites, proxy }: Experiment, of: Colour): LabFile[] {
  const environment = {
    APP_WARM_UP: `${app.warmupMs}ms`,
    APP_DRAIN: app.drain,
    APP_DRAIN_QUIET: `${app.drainQuietMs}ms`,
    APP_SHUTDOWN_GRACE_PERIOD: `${app.graceMs}ms`,
    APP_SHUTDOWN_TIMEOUT: `${app.shutdownTimeoutMs}ms`,
    APP_KEEP_ALIVE_TIMEOUT: `${app.keepAliveTimeoutMs}ms`,
    APP_BUSY_TIMEOUT: `${sites.busyTimeoutMs}ms`,
    APP_TRANSACTION: sites.transaction,
    APP_TRANSACTION_HOLD: `${sites.transactionHoldMs}ms`,
    ...(app.fault !== 'none' && { APP_FAULT: app.fault }),
    // Without a proxy the load comes from outside the server.
    ...(proxy.kind === 'none' && { APP_LISTEN_ADDR: `0.0.0.0:${of.publicPort}` }),
  };
  const comment = `What experiment ${id} sets.`;
  const files: LabFile[] = [
    {
      path: of.envFile,
      content: Object.entries(environment)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    },
    {
      path: `/etc/systemd/system/${of.service}.d/50-experiment.conf`,
      content: unitFile(comment, {
        Unit: { StartLimitBurst: String(unit.startLimitBurst) },
        Service: {
          EnvironmentFile: of.envFile,
          TimeoutStopSec: String(unit.timeoutStopSec),
          KillMode: unit.killMode,
          Restart: unit.restart,
        },
      }),
    },
  ];
  if (unit.activation !== 'none') {
    const tie = { none: {}, 'part-of': { PartOf: of.service }, 'binds-to': { BindsTo: of.service } }[unit.socketTie];
    files.push({
      path: `/etc/systemd/system/${of.socket}.d/50-experiment.conf`,
      content: unitFile(comment, {
        Unit: tie,
        Socket: {
          ...(unit.backlog !== undefined && { Backlog: String(unit.backlog) }),
          FlushPending: unit.flushPending ? 'yes' : 'no',
          // An empty value takes back the address of 10-listen.conf.
          ...(proxy.kind === 'none' && { ListenStream: ['', `0.0.0.0:${of.publicPort}`] }),
        },
      }),
    });
  }
  return files;
}

/** The text of a unit file or drop-in; a setting with several values gets a line for each. */
export function unitFile(
  comment: string,
  sections: Record<string, Readonly<Record<string, string | readonly string[]>>>,
): string {
  const blocks = Object.entries(sections)
    .filter(([, settings]) => Object.keys(settings).length > 0)
    .map(
      ([section, settings]) =>
        `[${section}]\n${Object.entries(settings)
          .flatMap(([key, value]) => [value].flat().map((one) => `${key}=${one}\n`))
          .join('')}`,
    );
  return `# ${comment}\n${blocks.join('\n')}`;
}
