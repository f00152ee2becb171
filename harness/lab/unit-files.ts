/** What an experiment changes on the server: environment of the site, and systemd drop-ins beside the units. */
import type { Experiment } from '../experiment/experiment.ts';
import { coloursOf, type Colour } from '../experiment/units.ts';
import type { LabFile } from './engine/files.ts';

/** Where the units of the lab's server lie. */
export const unitsFolder = '/etc/systemd/system';

/** What `systemctl enable` does: a target wants the unit. */
export function enabledUnit(target: 'multi-user' | 'sockets', unit: string, file = unit): LabFile {
  return { path: `${unitsFolder}/${target}.target.wants/${unit}`, linkTo: `${unitsFolder}/${file}` };
}

/** Drop-ins and env files of this experiment, to be put beside the files of containers/server. */
export function experimentFiles(experiment: Experiment): LabFile[] {
  return coloursOf(experiment).flatMap((of) => colourFiles(experiment, of));
}

function colourFiles(experiment: Experiment, of: Colour): LabFile[] {
  const { id, app, unit, sites, proxy } = experiment;
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
      content: linesOf(environment),
    },
    {
      path: dropInOf(of.service),
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
  const socket = { path: dropInOf(of.socket), content: unitFile(comment, socketSettings(experiment, of)) };
  return unit.activation === 'none' ? files : [...files, socket];
}

/** Where an experiment's changes of a unit lie, beside it. */
export function dropInOf(unit: string): string {
  return `${unitsFolder}/${unit}.d/50-experiment.conf`;
}

/**
 * What an experiment changes of a socket unit.
 * @param isSet is this field of the experiment's to be set?
 */
export function socketSettings(
  { unit, proxy }: Experiment,
  { service, publicPort }: Colour,
  isSet: (name: 'backlog' | 'flushPending') => boolean = () => true,
): Sections {
  return {
    Unit: { none: {}, 'part-of': { PartOf: service }, 'binds-to': { BindsTo: service } }[unit.socketTie],
    Socket: {
      ...(isSet('backlog') && unit.backlog !== undefined && { Backlog: String(unit.backlog) }),
      ...(isSet('flushPending') && { FlushPending: unit.flushPending ? 'yes' : 'no' }),
      // Without a proxy the load comes from outside the server; an empty value takes back the unit's own address.
      ...(proxy.kind === 'none' && { ListenStream: ['', `0.0.0.0:${publicPort}`] }),
    },
  };
}

type Sections = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** The text of a unit file or drop-in; a setting with several values gets a line for each. */
export function unitFile(comment: string, sections: Sections): string {
  const blocks = Object.entries(sections)
    .filter(([, settings]) => Object.keys(settings).length > 0)
    .map(([section, settings]) => `[${section}]\n${linesOf(settings)}`);
  return `# ${comment}\n${blocks.join('\n')}`;
}

function linesOf(settings: Sections[string]): string {
  const lines = Object.entries(settings).flatMap(([key, values]) =>
    [values].flat().map((value) => `${key}=${value}\n`),
  );
  return lines.join('');
}
