/** The ways to deploy one site beside systemd: each resolves with the unit that serves then. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { deployerNotePrefix, type DeployPlan, type DeploySite, type DeployUnit } from '../../run/deploy-plan.ts';
import {
  GivenUp,
  isReady,
  kill,
  readyDeadlineMs,
  replaceFile,
  run,
  stamp,
  systemctl,
  until,
  type Deploy,
} from './deploy.ts';

/** From the request for a long transaction to the end of its process: the transaction must have begun. */
const beginTransactionMs = 200;

/** What switches a site from one colour to the other (containers/server). */
const switchScript = '/usr/local/sbin/site-switch';
/** Its exit code where the new colour was not ready in time, and the old one goes on. */
const givenUpCode = 1;

/** Seconds for which the proxy's file is empty while a template is rendered into it: as long as a slow template takes. */
const renderSeconds = 0.25;

/** A site with the plan of which it is part, and which of its units serves: a switch that is given up leaves it as it was. */
export interface SiteInDeploy extends DeploySite {
  readonly plan: DeployPlan;
  serving: number;
}

/** Writes what a release writes: the version that the unit starts next. */
export function release({ releaseFile, releaseText }: DeployUnit, { version }: Deploy, more = ''): void {
  if (releaseText !== null) replaceFile(releaseFile, `${releaseText.replaceAll('{version}', version)}${more}`);
}

/** What else a release of a service of the user's own does: the link is pointed to the next folder, the command is run. */
export async function releaseOwn({ own }: SiteInDeploy, { restart, version }: Deploy): Promise<void> {
  if (own === null) return;
  const { link, command } = own;
  if (link !== null) {
    symlinkSync(link.folders[restart % link.folders.length] ?? '', `${link.path}.new`);
    renameSync(`${link.path}.new`, link.path);
  }
  if (command !== null) await run('sh', ['-c', command.replaceAll('{version}', version)]);
}

/** The unit that the next release goes to: of two colours the idle one. */
export function comingOf({ units, serving }: SiteInDeploy): DeployUnit {
  return units[1 - serving] ?? units[0];
}

/** The unit that serves: of two colours the one that the last release went to. */
function servingOf({ units, serving }: SiteInDeploy): DeployUnit {
  return units[serving] ?? units[0];
}

/** Begins a write on this unit that holds the database's lock for long; its answer does not matter. */
async function beginLongTransaction({ publicAddress }: DeployUnit, plan: DeployPlan, deploy: Deploy): Promise<void> {
  const id = `${plan.runId}-${deployerNotePrefix}${deploy.restart}`;
  const asked = request(`http://${publicAddress}/notes?hold=${plan.deploy.longTransactionMs}`, {
    method: 'POST',
    agent: false,
    headers: { 'Content-Type': 'application/json', 'X-Request-Id': id },
  });
  asked.on('response', (answer) => answer.resume());
  asked.on('error', () => undefined);
  asked.end(JSON.stringify({ id, text: 'a long transaction' }));
  await sleep(beginTransactionMs);
}

/** Starts the idle colour, which becomes ready. @throws {GivenUp} where it does not: it is stopped again */
async function startComing(site: SiteInDeploy, deploy: Deploy, withinSec?: number): Promise<void> {
  const seconds = Math.ceil(withinSec ?? site.plan.deploy.readyWithinSec ?? readyDeadlineMs / 1000);
  if (site.own === null) {
    await runSwitch(site, 'start', seconds);
    return;
  }
  const [coming, going] = [comingOf(site).service, servingOf(site).service];
  await systemctl('restart', coming);
  if (await until(() => isReady(comingOf(site), deploy.version), seconds * 1000)) {
    stamp('ready', deploy);
    return;
  }
  await systemctl('stop', coming);
  throw new GivenUp(`${coming} was not ready within ${seconds} s and was stopped; ${going} still serves.`);
}

/** Stops the colour that served before. */
async function stopGoing(site: SiteInDeploy): Promise<void> {
  if (site.own === null) await runSwitch(site, 'finish');
  else await systemctl('stop', servingOf(site).service);
}

/** A step of the switch between the colours of the demo site. */
async function runSwitch({ name }: SiteInDeploy, step: 'start' | 'finish', seconds?: number): Promise<void> {
  const env = { ...process.env, ...(seconds !== undefined && { SITE_SWITCH_SECONDS: String(seconds) }) };
  try {
    await run('bash', [switchScript, name, step], { env });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: number; stderr?: string };
    throw code === givenUpCode ? new GivenUp(stderr.trim()) : error;
  }
}

/** Each way to deploy: resolves with the unit that serves now. */
export const ways = {
  restart: async ({ units: [unit] }, deploy) => {
    stamp('retire', deploy);
    await systemctl('restart', unit.service);
    return unit;
  },
  crash: async ({ units: [unit] }, deploy) => {
    stamp('retire', deploy);
    await kill(unit.service);
    return unit;
  },
  'stop-start': async ({ units: [unit], plan }, deploy) => {
    stamp('retire', deploy);
    await systemctl('stop', unit.service);
    await sleep(plan.deploy.pauseMs);
    await systemctl('start', unit.service);
    return unit;
  },
  swap,
  'bad-release': badRelease,
} satisfies Partial<
  Record<DeployPlan['deploy']['action'], (site: SiteInDeploy, deploy: Deploy) => Promise<DeployUnit>>
>;

async function swap(site: SiteInDeploy, deploy: Deploy): Promise<DeployUnit> {
  const { plan, serving } = site;
  const { proxyFile } = plan;
  const [coming, going] = [comingOf(site), servingOf(site)];
  const { oldFirst, oldEndsBy, overlapMs, longTransactionMs } = plan.deploy;
  if (oldFirst === true) {
    stamp('retire', deploy);
    await systemctl('stop', going.service);
  }
  await startComing(site, deploy);
  if (proxyFile !== null) {
    const text = proxyFile.texts[1 - serving] ?? '';
    if (proxyFile.how === 'atomic-rewrite') {
      replaceFile(proxyFile.path, text);
    } else {
      // A shell empties the file before the program that renders the template has begun. The program must be slow: a busy
      // proxy often reads the file of a quick one only when it is whole again.
      writeFileSync('/tmp/site.yml.template', text);
      await run('sh', ['-c', `{ sleep ${renderSeconds}; cat /tmp/site.yml.template; } > ${proxyFile.path}`]);
    }
    stamp('proxy-file', deploy);
    stamp('retire', deploy);
  }
  await sleep(overlapMs);
  if (longTransactionMs > 0) await beginLongTransaction(going, plan, deploy);
  if (proxyFile === null && oldFirst !== true) stamp('retire', deploy);
  if (oldEndsBy === 'nothing') return coming;
  if (oldEndsBy === 'SIGKILL') {
    // Stopped below too, or systemd would start the old colour again.
    await kill(going.service);
  }
  await stopGoing(site);
  site.serving = 1 - serving;
  return coming;
}

/** A bad release of the idle colour is given up, and the good one takes its place; the other colour serves meanwhile. */
async function badSwap(site: SiteInDeploy, deploy: Deploy): Promise<DeployUnit> {
  const coming = comingOf(site);
  release(coming, deploy, 'APP_FAULT=crash-at-start\n');
  stamp('retire', deploy);
  await startComing(site, deploy, site.plan.deploy.badForMs / 1000).catch((error: unknown) => {
    if (!(error instanceof GivenUp)) throw error;
  });
  stamp('roll-back', deploy);
  release(coming, deploy);
  return await swap(site, deploy);
}

async function badRelease(site: SiteInDeploy, deploy: Deploy): Promise<DeployUnit> {
  if (site.units.length === 2) return await badSwap(site, deploy);
  const { deploy: planned } = site.plan;
  const [unit] = site.units;
  const folder = `/etc/systemd/system/${unit.service}.d`;
  const wrapper = `${folder}/60-release.conf`;
  if (planned.badRelease === 'crash-at-start') {
    release(unit, deploy, 'APP_FAULT=crash-at-start\n');
  } else {
    mkdirSync(folder, { recursive: true });
    // What `npm start` does, and every script that does not exec: LISTEN_PID names the wrapper, not the site.
    const start = "/bin/sh -c '/usr/local/bin/node /opt/site/main.ts; exit $?'";
    replaceFile(wrapper, `[Service]\nExecStart=\nExecStart=${start}\n`);
    await systemctl('daemon-reload');
  }
  stamp('retire', deploy);
  // It is meant to fail, at once or later.
  await systemctl('restart', unit.service).catch(() => undefined);
  await sleep(planned.badForMs);
  stamp('roll-back', deploy);
  release(unit, deploy);
  rmSync(wrapper, { force: true });
  await systemctl('daemon-reload');
  await systemctl('reset-failed', unit.service, unit.socket).catch(() => undefined);
  // A socket that failed with its service is started again; a unit without one is no failure.
  await systemctl('start', unit.socket).catch(() => undefined);
  await systemctl('restart', unit.service);
  return unit;
}
