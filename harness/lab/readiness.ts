/**
 * Runs in the lab's `server` container until the lab is ready, or says what is missing: systemd is up, the site says so
 * itself, and one request has been answered through the proxy. Arguments: deadline in ms, internal address, Host header.
 */
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** The last line of its output. */
export interface Readiness {
  /** What was still missing at the deadline; empty when the lab is ready. */
  readonly missing: readonly string[];
}

const pollMs = 20;
const [deadlineMs = '0', internalAddress = '', hostHeader = ''] = process.argv.slice(2);

/** undefined when the answer is 200, else what came instead. */
async function ask(url: string, headers: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(url, { headers, agent: false, timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 ? undefined : `answered ${answer.statusCode ?? 'nothing'}`);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer within 2 s')));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}

async function systemdState(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('systemctl', ['is-system-running'], (_, stdout, stderr) => {
      const state = stdout.trim() || stderr.trim();
      resolve(state === 'running' ? undefined : state);
    });
  });
}

const conditions: readonly (readonly [string, () => Promise<string | undefined>])[] = [
  ['the site is not ready (/readyz on its internal port)', () => ask(`http://${internalAddress}/readyz`, {})],
  ['the proxy does not answer for the site', () => ask('http://127.0.0.1:80/livez', { Host: hostHeader })],
  ['systemd is not running', systemdState],
];

const end = performance.now() + Number(deadlineMs);
const missing: string[] = [];
for (const [what, condition] of conditions) {
  let state = await condition();
  while (state !== undefined && performance.now() < end) {
    await sleep(pollMs);
    state = await condition();
  }
  if (state !== undefined) missing.push(`${what}: ${state}`);
}
process.stdout.write(`${JSON.stringify({ missing } satisfies Readiness)}\n`);
