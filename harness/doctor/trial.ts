/** A network, and a container with systemd as PID 1, booted as a lab boots them, probed, and taken away. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { HarnessError, messageOf } from '../base/errors.ts';
import { explained } from '../lab/engine/engine-errors.ts';
import { ownerLabel, runLabel, type EngineFacts } from '../lab/engine/engine.ts';
import { exec } from '../lab/engine/exec.ts';
import { putFiles } from '../lab/engine/files.ts';
import { networkOptions, serverOptions } from '../lab/container-options.ts';
import { removeRun } from '../lab/remove.ts';
import { newRunId } from '../run/run-folder.ts';
import { ok, problem, type Finding } from './finding.ts';
import { judgeProbe, type Probe } from './judge-probe.ts';

/** systemd is up in a second or two; where it cannot run, the container ends at once. */
const bootMs = 20_000;
const probePath = '/opt/doctor/probe.ts';

/** Boots a server, and says what came of it; leaves nothing behind. */
export async function tryLab(docker: Docker, facts: EngineFacts, image: string): Promise<Finding[]> {
  const id = `doctor-${newRunId(new Date())}`;
  const labels = { [runLabel]: id, [ownerLabel]: `${hostname()}/${process.pid}` };
  const findings: Finding[] = [];
  let step = 'network';
  try {
    const network = await docker.createNetwork(networkOptions(`restart-proof-${id}`, labels));
    findings.push(ok(step, 'an address range for one more network is free'));
    step = 'rights';
    const container = await docker.createContainer({
      name: `restart-proof-${id}`,
      Image: image,
      Labels: labels,
      ...serverOptions(facts, { networkId: network.id, proxyFiles: [], connections: 64 }),
    });
    const source = fileURLToPath(new URL('probe.ts', import.meta.url));
    await putFiles(container, [{ path: probePath, content: await readFile(source) }]);
    await container.start();
    findings.push(judgeRights(facts));
    step = 'systemd';
    findings.push(...(await probed(container)));
  } catch (error) {
    const own = error instanceof HarnessError ? error : explained(error);
    const { message, hint } = own ?? new HarnessError('engine-refused', messageOf(error));
    findings.push(problem(step, message, hint));
  } finally {
    await removeRun(docker, id);
  }
  return findings;
}

/** The rights of the server's root on the engine's host. */
function judgeRights({ cgroupVersion, security }: EngineFacts): Finding {
  const off = [
    security.apparmor && 'AppArmor',
    security.selinux && 'SELinux',
    security.seccomp === 'own-file' && "the engine's own seccomp profile",
  ].filter((name) => name !== false);
  const confined = off.length === 0 ? '' : `, but not confined by ${off.join(' and ')}`;
  const limits = '; on cgroup v2 its root may lift its own memory, process and CPU limits, and no other';
  const rights = `the server starts without SYS_ADMIN, with seccomp and no-new-privileges${confined}`;
  return ok('rights', `${rights}, on a network without a way out${cgroupVersion === '2' ? limits : ''}`);
}

async function probed(container: Docker.Container): Promise<Finding[]> {
  const beforeMs = Date.now();
  // A container that ends takes the command with it, and its stream may never end.
  const result = await Promise.race([exec(container, ['node', probePath]), sleep(bootMs, undefined, { ref: false })]);
  const { State } = await container.inspect();
  if (!State.Running) {
    const log = (await container.logs({ stdout: true, stderr: true, tail: 5 })).toString('utf8').trim();
    throw new HarnessError('cgroup-read-only', `systemd ended at once (status ${State.ExitCode}): ${printable(log)}`);
  }
  if (result === undefined) throw new HarnessError('lab-not-ready', `systemd was not up within ${bootMs / 1000} s.`);
  if (result.exitCode !== 0) throw new HarnessError('lab-not-ready', `The probe failed: ${printable(result.stderr)}`);
  const probe = JSON.parse(result.stdout) as Probe;
  const isUp = ['running', 'degraded', 'starting'].includes(probe.systemd);
  const booted = isUp
    ? ok('systemd', `boots as PID 1 (${probe.systemd}); its own part of the cgroup tree is writable`)
    : problem('systemd', `does not come up: ${printable(probe.systemd)}`, 'The lab needs an engine that runs as root.');
  return [booted, ...judgeProbe(probe, { beforeMs, afterMs: Date.now() })];
}

function printable(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]+/gu, ' ').trim();
  return line.slice(-300) || 'it said nothing';
}
