/** The ways to deploy one site beside systemd: each resolves with the unit that serves then. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { deployerNotePrefix, type DeployPlan, type DeploySite, type DeployUnit } from '../../run/deploy-plan.ts';
import { GivenUp, readyDeadlineMs, replaceFile, run, stamp, systemctl, untilServing, type Deploy } from './deploy.ts';

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

/** A step of the switch: the idle colour is started and becomes ready, or the one that served before is stopped. */
async function switchColour(
  site: SiteInDeploy,
  step: 'start' | 'finish',
  deploy: Deploy,
  withinSec?: number,
): Promise<void> {
  const { name, plan } = site;
  const seconds = Math.ceil(withinSec ?? plan.deploy.readyWithinSec ?? readyDeadlineMs / 1000);
  if (site.own !== null) {
    await switchOwn(site, step, { deploy, withinMs: seconds * 1000 });
    return;
  }
  const env = { ...process.env, SITE_SWITCH_SECONDS: String(seconds) };
  try {
    await run('bash', [switchScript, name, step], { env });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: number; stderr?: string };
    throw code === givenUpCode ? new GivenUp(stderr.trim()) : error;
  }
}

/** The same of a service of the user's own, whose units have names of their own. */
async function switchOwn(
  site: SiteInDeploy,
  step: 'start' | 'finish',
  { deploy, withinMs }: { deploy: Deploy; withinMs: number },
): Promise<void> {
  const [coming, going] = [comingOf(site), site.units[site.serving] ?? site.units[0]];
  if (step === 'finish') {
    await systemctl('stop', going.service);
    return;
  }
  await systemctl('restart', coming.service);
  if (await untilServing(coming, deploy.version, withinMs)) {
    stamp('ready', deploy);
    return;
  }
  await systemctl('stop', coming.service);
  throw new GivenUp(
    `${coming.service} was not ready within ${withinMs / 1000} s and was stopped; ${going.service} still serves.`,
  );
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
    await systemctl('kill', '--signal=SIGKILL', '--kill-who=main', unit.service);
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
  const { plan, units, serving } = site;
  const { proxyFile } = plan;
  const [coming, going] = [comingOf(site), units[serving] ?? units[0]];
  const { oldFirst, oldEndsBy, overlapMs, longTransactionMs } = plan.deploy;
  if (oldFirst === true) {
    stamp('retire', deploy);
    await systemctl('stop', going.service);
  }
  await switchColour(site, 'start', deploy);
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
    await systemctl('kill', '--signal=SIGKILL', '--kill-who=main', going.service);
  }
  await switchColour(site, 'finish', deploy);
  site.serving = 1 - serving;
  return coming;
}

/** A bad release of the idle colour is given up, and the good one takes its place; the other colour serves meanwhile. */
async function badSwap(site: SiteInDeploy, deploy: Deploy): Promise<DeployUnit> {
  const coming = comingOf(site);
  release(coming, deploy, 'APP_FAULT=crash-at-start\n');
  stamp('retire', deploy);
  await switchColour(site, 'start', deploy, site.plan.deploy.badForMs / 1000).catch((error: unknown) => {
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
