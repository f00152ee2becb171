/**
 * Runs in the lab's `server` container until the lab is ready, or says what is missing: systemd is up, the site says so
 * itself, one request has been answered through the proxy, and the proxy knows which backend is down. Its argument is a
 * {@link ReadinessQuestion} as JSON.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpGet } from './http-get.ts';
import type { Readiness, ReadinessQuestion } from './readiness-question.ts';

const pollMs = 20;
const failedPollMs = 500;
/** A service that ended so often by itself will not come up. */
const mostRestarts = 20;
let askAgainAt = 0;
/** The proxy's own view of its services, on the server itself (containers/edge). */
const proxyApi = 'http://127.0.0.1:8099/api/http/services';
const question = JSON.parse(process.argv[2] ?? '') as ReadinessQuestion;

/** undefined when somebody serves: a health check passed, or there was an answer that is no proxy's. */
async function ask(
  url: string,
  isHealth: boolean,
  { headers = {}, mayBe404 = false }: { headers?: Record<string, string>; mayBe404?: boolean } = {},
): Promise<string | undefined> {
  const result = await httpGet(url, 2_000, headers);
  if ('error' in result) return result.error;
  const isServed = isHealth
    ? result.status >= 200 && result.status < 300
    : result.status < 500 && (mayBe404 || result.status !== 404);
  return isServed ? undefined : `answered ${result.status}`;
}

/** undefined when the proxy holds every server of the service to be down. */
async function stateOfService(name: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${proxyApi}/${name}`);
    const { serverStatus } = (await answer.json()) as { serverStatus?: Record<string, string> };
    const states = Object.values(serverStatus ?? {});
    return states.length > 0 && states.every((state) => state === 'DOWN') ? undefined : `it is ${states.join(', ')}`;
  } catch (error) {
    return String(error);
  }
}

async function systemdState(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('systemctl', ['is-system-running'], (_, stdout, stderr) => {
      const state = stdout.trim() || stderr.trim();
      resolve(state === 'running' ? undefined : state);
    });
  });
}

/** Has systemd given up one of the units, or should it? Asked now and then: each question is a process. */
async function hasFailed(): Promise<boolean> {
  if (question.units.length === 0 || performance.now() < askAgainAt) return false;
  askAgainAt = performance.now() + failedPollMs;
  return await new Promise((resolve) => {
    execFile('systemctl', ['show', '--property=ActiveState,NRestarts', ...question.units], (_, stdout) => {
      const restarts = [...stdout.matchAll(/^NRestarts=(\d+)$/gmu)].map((match) => Number(match[1]));
      resolve(/^ActiveState=failed$/mu.test(stdout) || restarts.some((times) => times >= mostRestarts));
    });
  });
}

type Condition = readonly [what: string, state: () => Promise<string | undefined>];

/** What must hold of one site; its name is its Host header where there is a proxy. */
function conditionsOf({ ready, proxied, downService }: ReadinessQuestion['sites'][number]): Condition[] {
  const conditions: Condition[] = [[`the site is not ready (${ready.url})`, () => ask(ready.url, ready.isHealth)]];
  if (proxied !== null) {
    const { host, path, isHealth, mayBe404 } = proxied;
    conditions.push([
      `the proxy does not answer for ${host}`,
      () => ask(`http://127.0.0.1:80${path}`, isHealth, { headers: { Host: host }, mayBe404 }),
    ]);
  }
  if (downService !== null) {
    conditions.push([`the proxy does not hold ${downService} to be down`, () => stateOfService(downService)]);
  }
  return conditions;
}

const conditions = question.sites.flatMap(conditionsOf);
conditions.push(['systemd is not running', systemdState]);

const end = performance.now() + question.deadlineMs;
const missing: string[] = [];
for (const [what, condition] of conditions) {
  let state = await condition();
  while (state !== undefined && performance.now() < end && !(await hasFailed())) {
    await sleep(pollMs);
    state = await condition();
  }
  if (state !== undefined) missing.push(`${what}: ${state}`);
}
process.stdout.write(`${JSON.stringify({ missing } satisfies Readiness)}\n`);
