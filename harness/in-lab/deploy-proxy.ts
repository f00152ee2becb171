/** The ways to deploy the proxy itself, beside systemd. The site is left alone. */
import { copyFileSync, chmodSync, existsSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { otherProxyProgram, proxyProgram, proxyUnit, type ProxyAction } from '../experiment/units.ts';
import type { DeployPlan } from '../run/deploy-plan.ts';
import { readyDeadlineMs, replaceFile, run, stamp, systemctl, type Deploy } from './deploy.ts';
import { httpGet } from './http-get.ts';

/** The proxy's own view of its routes (containers/edge). */
const routesUrl = 'http://127.0.0.1:8099/api/http/routers';
const pollMs = 20;
/** Where the program that an upgrade takes away is kept, for the next one to bring back. */
const ownProgram = '/opt/traefik/own';

/**
 * Carries it out.
 * @returns waits until the new process has its routes; false when it never has
 */
export async function deployProxy(
  action: ProxyAction,
  plan: DeployPlan,
  deploy: Deploy,
): Promise<() => Promise<boolean>> {
  if (action === 'proxy-reload') {
    const { proxyFile } = plan;
    if (proxyFile === null) throw new Error('a reload takes the texts of the proxy’s file');
    replaceFile(proxyFile.path, proxyFile.texts[deploy.restart % proxyFile.texts.length] ?? '');
    stamp('proxy-file', deploy);
    return () => Promise.resolve(true);
  }
  const before = await mainPid();
  if (action === 'proxy-upgrade') installOther(deploy.restart);
  stamp('retire', deploy);
  if (action === 'proxy-crash') await systemctl('kill', '--signal=SIGKILL', '--kill-who=main', proxyUnit.service);
  else await systemctl('restart', proxyUnit.service);
  return () => hasRoutes(before, deploy);
}

/** Puts the other version's program in place by rename: the process that runs keeps its own. */
function installOther(restart: number): void {
  if (!existsSync(ownProgram)) copyFileSync(proxyProgram, ownProgram);
  const coming = `${proxyProgram}.new`;
  copyFileSync(restart % 2 === 1 ? otherProxyProgram : ownProgram, coming);
  chmodSync(coming, 0o755);
  renameSync(coming, proxyProgram);
}

async function mainPid(): Promise<string> {
  const { stdout } = await run('systemctl', ['show', '--property=MainPID', '--value', proxyUnit.service]);
  return stdout.trim();
}

async function hasRoutes(before: string, deploy: Deploy): Promise<boolean> {
  const deadline = performance.now() + readyDeadlineMs;
  while (performance.now() < deadline) {
    const pid = await mainPid();
    if (pid !== '0' && pid !== before) {
      const answer = await httpGet(routesUrl, 1_000);
      if ('status' in answer && answer.status === 200) return true;
    }
    await sleep(pollMs);
  }
  stamp('never-ready', deploy);
  return false;
}
