/**
 * The deploy as it runs in the lab's `server` container, beside systemd: a plan on its input's first line, the load's
 * origin on its second; then each release is written and its unit restarted when the plan says, and stamped on the same
 * clock as every request.
 */
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { anotherRestart, type DeployerMessage, type DeployPlan } from './deploy-plan.ts';

/** How often the internal port is asked whether the last release is ready. */
const readyPollMs = 20;
const readyDeadlineMs = 60_000;
/** Rest between one release being ready and the next deploy, if the plan would not leave any. */
const restMs = 200;

const run = promisify(execFile);

function say(message: DeployerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Replaces the file by rename, so that nobody reads half of it. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** Does /readyz of the internal port answer 200, and with this version? */
async function isReady(plan: DeployPlan, version: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(`http://${plan.internalAddress}`);
    const asked = request({ hostname, port, path: '/readyz', agent: false, timeout: 1_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 && answer.headers['x-app-version'] === version);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

async function deploy(plan: DeployPlan, restart: number): Promise<void> {
  const version = `v${restart}`;
  replaceFile(plan.releaseFile, `APP_VERSION=${version}\n`);
  say({ kind: 'deploy-begin', restart, version, atMonotonicUs: monotonicUs() });
  let failure: string | undefined;
  try {
    await run('systemctl', ['restart', plan.unit]);
  } catch (error) {
    failure = error instanceof Error ? error.message.trim() : String(error);
  }
  say({ kind: 'deploy-end', restart, version, atMonotonicUs: monotonicUs(), ...(failure && { failure }) });
  const deadline = performance.now() + readyDeadlineMs;
  while (!(await isReady(plan, version))) {
    if (performance.now() > deadline) {
      say({ kind: 'never-ready', restart, version, atMonotonicUs: monotonicUs() });
      return;
    }
    await sleep(readyPollMs);
  }
  await sleep(restMs);
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
    await deploy(plan, index + 1);
  }
  say({ kind: 'done' });
}
process.exit(0);
