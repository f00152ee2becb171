/**
 * Deploys in the lab's `server` container, beside systemd. The first line of its input is the plan, the second the load's
 * origin; then it writes and deploys each release when the plan says, and stamps each step on the clock of the requests.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { monotonicUs } from '../base/clock.ts';
import { anotherRestart, deployerNotePrefix, type DeployPlan, type DeployUnit } from '../run/deploy-plan.ts';
import type { DeployerMessage } from '../run/files/deployer-log.ts';
import { httpGet } from './http-get.ts';

/** How often the internal port is asked whether the last release is ready. */
const readyPollMs = 20;
const readyDeadlineMs = 60_000;
/**
 * The least rest between a ready release and the next deploy. Without it, on a slow machine, requests that queued in one
 * restart would still wait in the next and be counted against that one.
 */
const restMs = 1_000;
/** From the request for a long transaction to the end of its process: the transaction must have begun. */
const beginTransactionMs = 200;

/** What switches a site from one colour to the other (containers/server). */
const switchScript = '/usr/local/sbin/site-switch';
/** Its exit code where the new colour was not ready in time, and the old one goes on. */
const givenUpCode = 1;

/** Seconds for which the proxy's file is empty while a template is rendered into it: as long as a slow template takes. */
const renderSeconds = 0.25;

const run = promisify(execFile);

/** One deploy: which it is, and the version it brings. */
interface Deploy {
  readonly restart: number;
  readonly version: string;
}

type StampedKind = Extract<DeployerMessage, { restart: number }>['kind'];

function say(message: DeployerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function stamp(kind: Exclude<StampedKind, 'deploy-end'>, deploy: Deploy): void {
  say({ kind, ...deploy, atMonotonicUs: monotonicUs() });
}

/** Replaces the file by rename, so that nobody reads half of it. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function release({ releaseFile }: DeployUnit, { version }: Deploy, more = ''): void {
  replaceFile(releaseFile, `APP_VERSION=${version}\n${more}`);
}

async function systemctl(...args: string[]): Promise<void> {
  await run('systemctl', args);
}

/** Does /readyz of the internal port answer 200, and with this version? */
async function isReady({ internalAddress }: DeployUnit, version: string): Promise<boolean> {
  const result = await httpGet(`http://${internalAddress}/readyz`, 1_000);
  return 'status' in result && result.status === 200 && result.headers['x-app-version'] === version;
}

/** Waits until the version is ready; false when it never is. */
async function untilReady(unit: DeployUnit, deploy: Deploy): Promise<boolean> {
  const deadline = performance.now() + readyDeadlineMs;
  while (!(await isReady(unit, deploy.version))) {
    if (performance.now() > deadline) {
      stamp('never-ready', deploy);
      return false;
    }
    await sleep(readyPollMs);
  }
  return true;
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

/** Index of the unit that serves: a switch that is given up leaves it as it was. */
let serving = 0;

/** The unit that the next release goes to: of two colours the idle one. */
function comingOf({ units }: DeployPlan): DeployUnit {
  return units[1 - serving] ?? units[0];
}

/** The new version was not ready in time, and the old one goes on. */
class GivenUp extends Error {}

/** A step of the switch: the idle colour is started and becomes ready, or the one that served before is stopped. */
async function switchColour({ site, deploy }: DeployPlan, step: 'start' | 'finish', withinSec?: number): Promise<void> {
  const seconds = Math.ceil(withinSec ?? deploy.readyWithinSec ?? readyDeadlineMs / 1000);
  const env = { ...process.env, SITE_SWITCH_SECONDS: String(seconds) };
  try {
    await run('bash', [switchScript, site, step], { env });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: number; stderr?: string };
    throw code === givenUpCode ? new GivenUp(stderr.trim()) : error;
  }
}

/** Each way to deploy: resolves with the unit that serves now. */
const ways = {
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
  'stop-start': async ({ units: [unit], deploy: { pauseMs } }, deploy) => {
    stamp('retire', deploy);
    await systemctl('stop', unit.service);
    await sleep(pauseMs);
    await systemctl('start', unit.service);
    return unit;
  },
  swap,
  'bad-release': badRelease,
} satisfies Partial<Record<DeployPlan['deploy']['action'], (plan: DeployPlan, deploy: Deploy) => Promise<DeployUnit>>>;

async function swap(plan: DeployPlan, deploy: Deploy): Promise<DeployUnit> {
  const { proxyFile } = plan;
  const [coming, going] = [comingOf(plan), plan.units[serving] ?? plan.units[0]];
  const { oldFirst, oldEndsBy, overlapMs, longTransactionMs } = plan.deploy;
  if (oldFirst === true) {
    stamp('retire', deploy);
    await systemctl('stop', going.service);
  }
  await switchColour(plan, 'start');
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
  await switchColour(plan, 'finish');
  serving = 1 - serving;
  return coming;
}

/** A bad release of the idle colour is given up, and the good one takes its place; the other colour serves meanwhile. */
async function badSwap(plan: DeployPlan, deploy: Deploy): Promise<DeployUnit> {
  const coming = comingOf(plan);
  release(coming, deploy, 'APP_FAULT=crash-at-start\n');
  stamp('retire', deploy);
  await switchColour(plan, 'start', plan.deploy.badForMs / 1000).catch((error: unknown) => {
    if (!(error instanceof GivenUp)) throw error;
  });
  stamp('roll-back', deploy);
  release(coming, deploy);
  return await swap(plan, deploy);
}

async function badRelease(plan: DeployPlan, deploy: Deploy): Promise<DeployUnit> {
  if (plan.units.length === 2) return await badSwap(plan, deploy);
  const [unit] = plan.units;
  const folder = `/etc/systemd/system/${unit.service}.d`;
  const wrapper = `${folder}/60-release.conf`;
  if (plan.deploy.badRelease === 'crash-at-start') {
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
  await sleep(plan.deploy.badForMs);
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

async function carryOut(plan: DeployPlan, restart: number): Promise<void> {
  const deploy = { restart, version: `v${restart}` };
  const { action } = plan.deploy;
  if (action === 'none') return;
  const isSwap = action === 'swap' || action === 'bad-release';
  const next = isSwap ? comingOf(plan) : plan.units[0];
  release(next, deploy);
  stamp('deploy-begin', deploy);
  let failure: string | undefined;
  let isGivenUp = false;
  let unit = next;
  try {
    unit = await ways[action](plan, deploy);
  } catch (error) {
    isGivenUp = error instanceof GivenUp;
    if (isGivenUp) stamp('given-up', deploy);
    else failure = error instanceof Error ? error.message.trim() : String(error);
  }
  say({ kind: 'deploy-end', ...deploy, atMonotonicUs: monotonicUs(), ...(failure && { failure }) });
  if (isGivenUp || (await untilReady(unit, deploy))) await sleep(restMs);
  stamp('rested', deploy);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const planLine = await lines.next();
if (planLine.done === true) throw new Error('no plan came');
const plan = JSON.parse(planLine.value) as DeployPlan;
say({ kind: 'waiting' });
const originLine = await lines.next();
if (originLine.done !== true) {
  const { originUs } = JSON.parse(originLine.value) as { originUs: number };
  let wanted = plan.wanted;
  let wake: () => void = () => undefined;
  void (async () => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      if (line.value === anotherRestart) wanted++;
      wake();
    }
    // Once the harness is gone nobody wants a further restart.
    process.exit(0);
  })();
  for (const [index, beginMs] of plan.beginsMs.entries()) {
    while (index >= wanted) await new Promise<void>((resolve) => (wake = resolve));
    const waitMs = beginMs - (monotonicUs() - originUs) / 1000;
    if (waitMs > 0) await sleep(waitMs);
    await carryOut(plan, index + 1);
  }
  say({ kind: 'done' });
}
process.exit(0);
