/** What an experiment changes on the server: environment of the site, and systemd drop-ins beside the units. */
import type { Experiment } from '../experiment/experiment.ts';
import { coloursOf, type Colour } from '../experiment/units.ts';
import type { LabFile } from './engine/files.ts';

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
