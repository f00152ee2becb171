/** What an experiment changes on the server: environment of the site, and systemd drop-ins beside the units. */
import type { Experiment } from '../scenario/experiment.ts';
import type { LabFile } from './files.ts';

/** The site that is restarted, as containers/server names it. */
export const site = {
  service: 'site@demo.service',
  socket: 'site@demo.socket',
  envFile: '/etc/site/demo.experiment.env',
  releaseFile: '/etc/site/demo.release.env',
  publicPort: 18_080,
  internalPort: 19_080,
  internalAddress: '127.0.0.1:19080',
  hostHeader: 'demo.test',
  requestLog: '/var/log/site/demo.requests.ndjson',
  database: '/var/lib/site/demo/site.db',
} as const;

/** Drop-ins and env file of this experiment, to be put beside the files of containers/server. */
export function experimentFiles({ id, app, unit }: Experiment): LabFile[] {
  const environment = {
    APP_WARM_UP: `${app.warmupMs}ms`,
    APP_DRAIN: app.drain,
    APP_SHUTDOWN_GRACE_PERIOD: `${app.graceMs}ms`,
    APP_SHUTDOWN_TIMEOUT: `${app.shutdownTimeoutMs}ms`,
    APP_KEEP_ALIVE_TIMEOUT: `${app.keepAliveTimeoutMs}ms`,
  };
  const files: LabFile[] = [
    {
      path: site.envFile,
      content: Object.entries(environment)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    },
    {
      path: `/etc/systemd/system/${site.service}.d/50-experiment.conf`,
      content: unitFile(`What experiment ${id} sets.`, {
        Service: { EnvironmentFile: site.envFile, TimeoutStopSec: String(unit.timeoutStopSec) },
      }),
    },
  ];
  if (unit.activation === 'socket' && unit.backlog !== undefined) {
    files.push({
      path: `/etc/systemd/system/${site.socket}.d/50-experiment.conf`,
      content: unitFile(`What experiment ${id} sets.`, { Socket: { Backlog: String(unit.backlog) } }),
    });
  }
  return files;
}

/** The text of a unit file or drop-in. */
export function unitFile(comment: string, sections: Record<string, Record<string, string>>): string {
  const blocks = Object.entries(sections).map(
    ([section, settings]) =>
      `[${section}]\n${Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join('')}`,
  );
  return `# ${comment}\n${blocks.join('\n')}`;
}
