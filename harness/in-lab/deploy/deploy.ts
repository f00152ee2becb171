/** What the ways to deploy have in common: stamping, asking systemd, and whether a version is ready. */
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { monotonicUs } from '../../base/clock.ts';
import type { DeploySite, DeployUnit } from '../../run/deploy-plan.ts';
import type { DeployerMessage } from '../../run/files/deployer-log.ts';
import { httpGet } from './http-get.ts';

/** How often what is waited for is asked for. */
const pollMs = 20;
/** The longest that a version may take to be ready. */
export const readyDeadlineMs = 60_000;

/** One deploy: which it is, and the version it brings. */
export interface Deploy {
  readonly restart: number;
  readonly version: string;
  /** Of several sites, the one that is deployed now. */
  readonly site?: string;
}

type Stamped = Extract<DeployerMessage, { restart: number }>;

/** The new version was not ready in time, and the old one goes on. */
export class GivenUp extends Error {}

export const run = promisify(execFile);

/** Tells the harness. */
export function say(message: DeployerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Tells the harness what was done just now, or at the time given. */
export function stamp(kind: Stamped['kind'], deploy: Deploy, more: Partial<Stamped> = {}): void {
  say({ kind, ...deploy, atMonotonicUs: monotonicUs(), ...more });
}

/** Replaces the file by rename, so that nobody reads half of it. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

export async function systemctl(...args: string[]): Promise<void> {
  await run('systemctl', args);
}

/** Kills the main process of the unit. */
export async function kill(service: string): Promise<void> {
  await systemctl('kill', '--signal=SIGKILL', '--kill-who=main', service);
}

/** Does the unit serve, and with this version, where it tells? */
export async function isReady({ ready }: DeployUnit, version: string): Promise<boolean> {
  const result = await httpGet(ready.url, 1_000);
  if ('error' in result) return false;
  const { status, headers } = result;
  if (ready.isHealth ? status < 200 || status > 299 : status >= 500) return false;
  const named = ready.versionHeader === null ? undefined : headers[ready.versionHeader];
  // A service of the user's own may name its version in other answers only.
  if (named !== undefined || ready.saysItself) return named === version;
  return ready.versionUrl === null || (await pageHolds(ready.versionUrl, version));
}

async function pageHolds(url: string, version: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    return new RegExp(String.raw`\b${version}\b`, 'u').test(await answer.text());
  } catch {
    return false;
  }
}

/** Waits until it holds; false when it does not within the time. */
export async function until(holds: () => Promise<boolean> | boolean, withinMs = readyDeadlineMs): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

/** Waits until what was deployed is there; false when it never is, which the harness is told. */
export async function untilThere(isThere: () => Promise<boolean>, deploy: Deploy): Promise<boolean> {
  const hasCome = await until(isThere);
  if (!hasCome) stamp('never-ready', deploy);
  return hasCome;
}

/**
 * Waits until one of the units is ready with this version; false when none ever is.
 * @param isTold that it is ready has been stamped
 */
export async function untilReady(units: DeploySite['units'], deploy: Deploy, isTold = false): Promise<boolean> {
  const isOneReady = async (): Promise<boolean> =>
    (await Promise.all(units.map((unit) => isReady(unit, deploy.version)))).includes(true);
  const hasCome = await untilThere(isOneReady, deploy);
  if (hasCome && !isTold && units.some((unit) => !unit.ready.saysItself)) stamp('ready', deploy);
  return hasCome;
}
