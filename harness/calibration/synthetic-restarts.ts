/** Restarts of a site that never was: what deployer, site and systemd would have written of them. */
import { site, type Colour } from '../experiment/units.ts';
import type { DeployerMessage } from '../run/files/deployer-log.ts';
import { messageIds } from '../run/files/journal.ts';

/** One restart, in microseconds since the origin. */
export interface SyntheticRestart {
  readonly restart: number;
  readonly beginUs: number;
  readonly sigtermUs: number;
  readonly acceptStoppedUs: number;
  readonly exitUs: number;
  readonly stoppedUs: number;
  readonly startedUs: number;
  readonly startUs: number;
  readonly acceptingUs: number;
}

/** How long each step takes, in microseconds; the rest is the site's warm-up. As seen on the lab, rounded. */
const steps = { sigterm: 20_000, grace: 50_000, drain: 350_000, stop: 40_000, start: 12_000, boot: 130_000 };

/** Restart `restart`, begun at `beginUs`. */
export function syntheticRestart(restart: number, beginUs: number, warmupMs: number): SyntheticRestart {
  const sigtermUs = beginUs + steps.sigterm;
  const acceptStoppedUs = sigtermUs + steps.grace;
  const exitUs = acceptStoppedUs + steps.drain;
  const stoppedUs = exitUs + steps.stop;
  const startedUs = stoppedUs + steps.start;
  const startUs = startedUs + steps.boot;
  const acceptingUs = startUs + warmupMs * 1000;
  return { restart, beginUs, sigtermUs, acceptStoppedUs, exitUs, stoppedUs, startedUs, startUs, acceptingUs };
}

/** Name of the process that serves from restart `restart` on: `pid-starttime`. */
export function instanceOf(restart: number): string {
  return `${100 + restart}-${300_000 + restart}`;
}

/** The deployer's lines. */
export function deployerLines(restarts: readonly SyntheticRestart[], originUs: number): DeployerMessage[] {
  return restarts.flatMap(({ restart, beginUs, startedUs }): DeployerMessage[] => {
    const of = { restart, version: `v${restart}` };
    return [
      { kind: 'deploy-begin', ...of, atMonotonicUs: originUs + beginUs },
      { kind: 'retire', ...of, atMonotonicUs: originUs + beginUs + 150 },
      { kind: 'deploy-end', ...of, atMonotonicUs: originUs + startedUs + 5_000 },
    ];
  });
}

/** The journal as `journalctl -o json` gives it: the first start, and every restart. */
export function journalText(
  { service }: Pick<Colour, 'service'>,
  restarts: readonly SyntheticRestart[],
  { originUs, wallOffsetUs }: { originUs: number; wallOffsetUs: number },
): string {
  const lines: string[] = [];
  const say = (atUs: number, message: string, more: Readonly<Record<string, string>>): void => {
    lines.push(
      JSON.stringify({
        __MONOTONIC_TIMESTAMP: String(originUs + atUs),
        __REALTIME_TIMESTAMP: String(originUs + wallOffsetUs + atUs),
        PRIORITY: '6',
        MESSAGE: message,
        ...more,
      }),
    );
  };
  const siteSays = (restart: number, atUs: number, event: string, detail: object = {}): void => {
    const stamp = { event, atMonotonicUs: originUs + atUs, version: `v${restart}`, instance: instanceOf(restart) };
    say(atUs + 200, JSON.stringify({ ...stamp, ...detail }), { _SYSTEMD_UNIT: service });
  };
  const systemdSays = (atUs: number, id: keyof typeof messageIds, message: string): void =>
    say(atUs, message, { MESSAGE_ID: messageIds[id], UNIT: service, _SYSTEMD_UNIT: 'init.scope' });
  const comes = (restart: number, startUs: number, acceptingUs: number): void => {
    siteSays(restart, startUs, 'start', { node: process.versions.node, options: { databasePath: site.database } });
    siteSays(restart, Math.round((startUs + acceptingUs) / 2), 'internal-listening');
    siteSays(restart, acceptingUs, 'accepting', { backlog: 4096 });
    siteSays(restart, acceptingUs + 100, 'ready', { rehearsed: 50 });
  };
  comes(0, -2_000_000, -1_400_000);
  for (const { restart, sigtermUs, acceptStoppedUs, exitUs, stoppedUs, startedUs, startUs, acceptingUs } of restarts) {
    systemdSays(sigtermUs - 300, 'unitStopping', `Stopping ${service} - Site demo...`);
    siteSays(restart - 1, sigtermUs, 'sigterm', { signal: 'SIGTERM', open: 100, inFlight: 5 });
    siteSays(restart - 1, sigtermUs + 150, 'not-ready');
    siteSays(restart - 1, acceptStoppedUs, 'accept-stopped', { open: 100, inFlight: 5 });
    siteSays(restart - 1, exitUs, 'exit', { code: 0, storeClosed: true });
    systemdSays(stoppedUs, 'unitStopped', `Stopped ${service} - Site demo.`);
    systemdSays(startedUs, 'unitStarted', `Started ${service} - Site demo.`);
    comes(restart, startUs, acceptingUs);
  }
  return lines.map((line) => `${line}\n`).join('');
}
