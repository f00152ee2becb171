/**
 * A release by Ansible: runs in the lab's `control` container, whose playbook restarts the sites of the server. Its callback
 * plugin writes a line of JSON for each task and host, stamped on the clock that all of the lab shares.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployPlan, ReleasePlan } from '../../run/deploy-plan.ts';
import { stamp, until, untilReady, type Deploy } from './deploy.ts';
import { httpGet } from './http-get.ts';

/** The handler that restarts a site, and the task that writes the proxy's file, by their names in the playbook's roles. */
const restartTask = 'Restart service';
const proxyFileTask = "Write the proxy's file";

/** A task of the playbook that begins or ends on a host, as its callback plugin says. */
interface TaskEvent {
  readonly kind: 'task-begin' | 'task-end';
  readonly task: string;
  readonly host: string;
  readonly failed: boolean;
  readonly changed: boolean;
  readonly message: string;
  readonly atMonotonicUs: number;
}

/** The version that the sites have: a bad release is taken back to it. */
let goodVersion = 'v0';

/** What a release came to. */
interface Released {
  /** What failed and was not meant to, in words. */
  readonly failure: string | null;
  /** The version that the sites must now have. */
  readonly version: string;
}

/** Releases the version to all sites; a bad one is taken back after a while. */
export async function releaseAll(plan: DeployPlan, deploy: Deploy): Promise<Released> {
  const { release } = plan;
  if (release === null) throw new Error('a release without its playbook');
  if (release.bad === null) {
    goodVersion = deploy.version;
    return { failure: await play(plan, release, { ...deploy, fault: '' }), version: deploy.version };
  }
  // It is meant to fail, or to hurt.
  await play(plan, release, { ...deploy, fault: release.bad });
  await sleep(plan.deploy.badForMs);
  stamp('roll-back', deploy);
  const failure = await play(plan, release, { ...deploy, version: goodVersion, fault: '' });
  return { failure, version: goodVersion };
}

/**
 * Before the load: has the playbook lay the server out as it lays it out, so that a release changes what a release changes.
 * @throws {Error} with what failed, or naming a site that did not get ready
 */
export async function layOut(plan: DeployPlan): Promise<void> {
  const { release, sites } = plan;
  if (release === null) return;
  const all = { rolling: sites.length, restarts_at_once: sites.length, wait_for_ready: false, proxy_file: 'atomic' };
  const failure = await runPlaybook(release, { ...all, version: goodVersion, program_fault: '' }, () => undefined);
  if (failure !== null) throw new Error(`the playbook failed before the load: ${failure}`);
  const deploy = { restart: 0, version: goodVersion };
  for (const { name, units, hostHeader } of sites) {
    if (!(await untilReady(units, deploy)) || !(await until(() => isRouted(hostHeader)))) {
      throw new Error(`site ${name} did not get ready before the load`);
    }
  }
}

/** Does the proxy answer for the site? A check that fell between two processes has taken it out for a while. */
async function isRouted(hostHeader: string): Promise<boolean> {
  const result = await httpGet('http://127.0.0.1:80/livez', 1_000, { Host: hostHeader });
  return 'status' in result && result.status === 200;
}

/** Runs the playbook, and stamps its tasks. @returns what failed, in words; null where nothing did */
async function play(
  plan: DeployPlan,
  release: ReleasePlan,
  deploy: Deploy & { fault: string },
): Promise<string | null> {
  const { fault, ...of } = deploy;
  const names = new Set(plan.sites.map(({ name }) => name));
  const isShared = plan.sites[0].units.length === 2;
  const variables = { version: of.version, program_fault: fault };
  return await runPlaybook(release, variables, ({ kind, task, host, failed, changed, message, atMonotonicUs }) => {
    const isOfSite = names.has(host);
    const about = isOfSite ? { ...of, site: host } : of;
    const failure = failed ? { failure: message } : {};
    stamp(kind, about, { task, atMonotonicUs, ...failure });
    if (task === proxyFileTask && kind === 'task-end' && changed) stamp('proxy-file', of, { atMonotonicUs });
    if (task !== restartTask || !isOfSite) return;
    if (kind === 'task-begin') {
      stamp('site-begin', about, { atMonotonicUs });
      stamp('retire', about, { atMonotonicUs });
      return;
    }
    stamp('site-end', about, { atMonotonicUs, ...failure });
    // The switch leaves the old colour serving where the new one does not get ready.
    if (failed && isShared) stamp('given-up', about, { atMonotonicUs });
  });
}

/** Runs the playbook with these variables over those of the plan. @returns what failed, in words; null where nothing did */
async function runPlaybook(
  { folder, variables }: ReleasePlan,
  more: Readonly<Record<string, unknown>>,
  hear: (event: TaskEvent) => void,
): Promise<string | null> {
  const child = spawn('ansible-playbook', ['site.yml', '-e', JSON.stringify({ ...variables, ...more })], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ANSIBLE_STDOUT_CALLBACK: 'events' },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const failures: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = taskEventIn(line);
    if (event === null) continue;
    hear(event);
    if (event.failed) failures.push(`${event.host}, ${event.task}: ${event.message}`);
  }
  const code = await ended;
  if (code === 0) return null;
  return failures.join('; ') || errors.trim() || `ansible-playbook ended with status ${code}`;
}

/** A line of the callback plugin that is about a task; null of any other. */
function taskEventIn(line: string): TaskEvent | null {
  if (!line.startsWith('{')) return null;
  const event = JSON.parse(line) as Partial<TaskEvent>;
  const { kind, atMonotonicUs, task = '', host = '', failed = false, changed = false, message = 'it failed' } = event;
  if ((kind !== 'task-begin' && kind !== 'task-end') || atMonotonicUs === undefined) return null;
  return { kind, atMonotonicUs, task, host, failed, changed, message };
}
