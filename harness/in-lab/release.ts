/**
 * A release by Ansible: runs in the lab's `control` container, whose playbook restarts the sites of the server. Its callback
 * plugin writes a line of JSON for each task and host, stamped on the clock that all of the lab shares.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployPlan, ReleasePlan } from '../run/deploy-plan.ts';
import { stamp, type Deploy } from './deploy.ts';

/** The handler that restarts a site, by its name in the playbook's role. */
const restartTask = 'Restart service';

/** A line of the callback plugin. */
interface TaskEvent {
  readonly kind: string;
  readonly task?: string;
  readonly host?: string;
  readonly failed?: boolean;
  readonly message?: string;
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

/** Runs the playbook. @returns what failed, in words; null where nothing did */
async function play(
  plan: DeployPlan,
  release: ReleasePlan,
  deploy: Deploy & { fault: string },
): Promise<string | null> {
  const { fault, version, ...of } = deploy;
  const names = new Set(plan.sites.map(({ name }) => name));
  const isShared = plan.sites[0].units.length === 2;
  const variables = JSON.stringify({ ...release.variables, version, program_fault: fault });
  const child = spawn('ansible-playbook', ['-i', 'hosts', 'site.yml', '-e', variables], {
    cwd: release.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const failures: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const { kind, task = '', host = '', failed, message, atMonotonicUs } = JSON.parse(line) as TaskEvent;
    if (kind !== 'task-begin' && kind !== 'task-end') continue;
    const about = { ...of, version: deploy.version, ...(names.has(host) && { site: host }) };
    const isRestart = task === restartTask && names.has(host);
    const failure = failed === true ? { failure: message ?? 'it failed' } : {};
    stamp(kind, about, { task, atMonotonicUs, ...failure });
    if (isRestart && kind === 'task-begin') {
      stamp('site-begin', about, { atMonotonicUs });
      stamp('retire', about, { atMonotonicUs });
    }
    if (isRestart && kind === 'task-end') stamp('site-end', about, { atMonotonicUs, ...failure });
    if (failed !== true) continue;
    failures.push(`${host}, ${task}: ${message ?? 'it failed'}`);
    // The switch leaves the old colour serving where the new one does not get ready.
    if (isRestart && isShared) stamp('given-up', about, { atMonotonicUs });
  }
  const code = await ended;
  if (code === 0) return null;
  return failures.join('; ') || errors.trim() || `ansible-playbook ended with status ${code}`;
}
