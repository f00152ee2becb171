/**
 * The machine that releases: `control`, a fourth container in which `ansible-playbook` runs and reaches the server by ssh.
 * Its playbook is containers/control; how it is made: control-image.ts and container-options.ts.
 */
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type Docker from 'dockerode';
import tar from 'tar-stream';
import { HarnessError } from '../base/errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { siteCount, type Site } from '../experiment/units.ts';
import type { ReleasePlan } from '../run/deploy-plan.ts';
import { exec } from './engine/exec.ts';
import { filesUnder, putFiles, type LabFile } from './engine/files.ts';
import { projectFolder } from '../project.mjs';

/** Where `ansible-playbook site.yml` is to be started. */
export const playbookFolder = '/opt/containers/control';
const programArchive = '/opt/program/site.tar.gz';

/**
 * What lies in `control`: the folder containers/ with these sites in its inventory, and the archive of the program.
 * @param variables what the lab's releases are told, over the playbook's own
 */
export async function controlFiles(
  sites: readonly Site[],
  variables: Readonly<Record<string, unknown>> = {},
): Promise<LabFile[]> {
  const containers = await filesUnder(join(projectFolder, 'containers'), '/opt/containers', isPlaybookFile);
  const hosts = `${playbookFolder}/hosts`;
  return [
    ...containers.map((file) =>
      file.path === hosts && 'content' in file
        ? { path: hosts, content: inventory(file.content.toString(), sites) }
        : file,
    ),
    // So that whoever plays it by hand, in a lab that is kept, plays what the run played.
    { path: `${playbookFolder}/group_vars/sites.yml`, content: JSON.stringify(variables, null, 2) },
    { path: `${playbookFolder}/group_vars/servers.yml`, content: JSON.stringify(variables, null, 2) },
    { path: programArchive, content: await archiveOfProgram() },
  ];
}

const wirings = { none: 'plain', socket: 'socket', both: 'both', shared: 'shared' } as const;

/** What the playbook is told of an experiment, by its own names; null where nothing is released. */
export function releasePlanOf(experiment: Experiment): ReleasePlan | null {
  const { release, unit, proxy } = experiment;
  if (release === undefined) return null;
  const sites = siteCount(experiment);
  return {
    folder: playbookFolder,
    bad: release.bad ?? null,
    variables: {
      wiring: wirings[unit.activation],
      rolling: release.rolling ?? sites,
      restarts_at_once: release.restartsAtOnce,
      wait_for_ready: release.waitForReady,
      ready_within: release.readyWithinSec,
      settle_seconds: release.settleMs / 1000,
      proxy_file: release.proxyFile,
      proxy_check: proxy.check ?? {},
      retry_attempts: proxy.retry?.attempts ?? 0,
      retry_initial_interval_ms: proxy.retry?.initialIntervalMs ?? 0,
    },
  };
}

/** The playbook, and the files of the server that it writes. */
function isPlaybookFile(path: string): boolean {
  return /^(control|server|one-socket)\//u.test(path) && !/\.test\.ts$|__pycache__/u.test(path);
}

/** The committed inventory with other sites. */
function inventory(committed: string, sites: readonly Site[]): string {
  const lines = sites.map(
    ({ name, hostHeader, colours: [{ publicPort, internalPort }] }) =>
      `${name} public_port=${publicPort} internal_port=${internalPort} domain=${hostHeader}\n`,
  );
  return committed.replace(/(?<=^\[sites\]\n)(?:.+\n)+/mu, () => lines.join(''));
}

/** The site's source files, packed: the same bytes for the same files. */
async function archiveOfProgram(): Promise<Buffer> {
  const isSource = (path: string): boolean => path.endsWith('.ts') && !/(^|\/)testing|\.test\.ts$/u.test(path);
  const pack = tar.pack();
  for (const file of await filesUnder(join(projectFolder, 'app-under-test'), '', isSource)) {
    if ('content' in file) pack.entry({ name: file.path, mode: 0o644, mtime: new Date(0) }, file.content);
  }
  pack.finalize();
  return gzipSync(await buffer(pack));
}

/** sshd's settings on a server that is released to. */
export async function sshdFiles(): Promise<LabFile[]> {
  return await filesUnder(join(projectFolder, 'containers', 'control', 'sshd'), '/etc/ssh/sshd_config.d');
}

/**
 * Lets `control` into the server: a key and a host key made for this run, and sshd started. The host key is known to
 * `control` beforehand, so that it checks whom it talks to.
 * @throws {HarnessError} (exit code 4) with what ssh said
 */
export async function openControl(server: Docker.Container, control: Docker.Container): Promise<void> {
  const keygen = "ssh-keygen -q -t ed25519 -N '' -C restart-proof";
  const key = await said(
    control,
    `mkdir -p -m 700 /root/.ssh && ${keygen} -f /root/.ssh/id_ed25519 && cat /root/.ssh/id_ed25519.pub`,
  );
  await putFiles(server, [{ path: '/root/.ssh/authorized_keys', content: `restrict ${key}` }]);
  const host = '/etc/ssh/ssh_host_ed25519_key';
  // Of a server that boots, systemd answers after a while.
  const start = 'for _ in $(seq 100); do systemctl start ssh.service && break; sleep 0.1; done 2>/tmp/ssh-start';
  const isUp = 'systemctl is-active --quiet ssh.service || { cat /tmp/ssh-start >&2; exit 1; }';
  const hostKey = await said(server, `${keygen} -f ${host} && { ${start}; ${isUp}; } && cat ${host}.pub`);
  await putFiles(control, [{ path: '/root/.ssh/known_hosts', content: `server ${hostKey}` }]);
  await said(control, 'ssh -o BatchMode=yes -o ConnectTimeout=10 root@server true');
}

async function said(container: Docker.Container, command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await exec(container, ['sh', '-c', command]);
  if (exitCode === 0) return stdout;
  throw new HarnessError('lab-not-ready', `The release has no way to the server by ssh: ${stderr.trim()}`, {
    hint: "How the way is made: harness/lab/control.ts; settings of the server's ssh: containers/control/sshd.",
  });
}
