/** The ways to deploy the proxy itself, beside systemd. The site is left alone. */
import { copyFileSync, chmodSync, existsSync, renameSync } from 'node:fs';
import { otherProxyProgram, proxyProgram, proxyUnit, reloadMark, type ProxyAction } from '../../experiment/units.ts';
import type { DeployPlan } from '../../run/deploy-plan.ts';
import { kill, replaceFile, run, stamp, systemctl, type Deploy } from './deploy.ts';
import { httpGet } from './http-get.ts';

/** The proxy's own view of itself (containers/edge). */
const api = 'http://127.0.0.1:8099/api';
/** Where the program that an upgrade takes away is kept, for the next one to bring back. */
const ownProgram = '/opt/traefik/own';

/**
 * Carries it out.
 * @returns has the new process its routes by now?
 */
export async function deployProxy(
  action: ProxyAction,
  plan: DeployPlan,
  deploy: Deploy,
): Promise<() => Promise<boolean>> {
  if (action === 'proxy-reload') {
    const { proxyFile } = plan;
    if (proxyFile === null) throw new Error('a reload takes the texts of the proxy’s file');
    const text = proxyFile.texts[deploy.restart % proxyFile.texts.length] ?? '';
    replaceFile(proxyFile.path, text);
    stamp('proxy-file', deploy);
    const status = text.includes(reloadMark) ? 200 : 404;
    return () => answers(`/http/middlewares/${reloadMark}@file`, status);
  }
  const before = { pid: await mainPid(), version: await version() };
  if (action === 'proxy-upgrade') installOther(deploy.restart);
  stamp('retire', deploy);
  if (action === 'proxy-crash') await kill(proxyUnit.service);
  else await systemctl('restart', proxyUnit.service);
  return async () => {
    const pid = await mainPid();
    if (pid === '0' || pid === before.pid || !(await answers('/http/routers', 200))) return false;
    return action !== 'proxy-upgrade' || (await version()) !== before.version;
  };
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

/** What the proxy says of its own version; empty where it does not answer. */
async function version(): Promise<string> {
  try {
    const answer = await fetch(`${api}/version`, { headers: { Connection: 'close' } });
    return ((await answer.json()) as { Version?: string }).Version ?? '';
  } catch {
    return '';
  }
}

/** Does the proxy's own view answer so? */
async function answers(path: string, status: number): Promise<boolean> {
  const answer = await httpGet(`${api}${path}`, 1_000);
  return 'status' in answer && answer.status === status;
}
