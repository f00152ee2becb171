/**
 * For tests: a second Docker engine on this machine, on cgroup v2 with `nsdelegate` as systemd hosts mount it, whatever
 * this machine has. It lives in mount, network and process namespaces of its own: its bridges, rules and mounts are gone
 * when its first process is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** Where cgroup v1 has the CPU controller, shares mean nothing on v2: the lab would wait behind any other work. */
const cpuGroups = '/sys/fs/cgroup/cpu';

/** Within the namespaces: nothing is mounted outside, and the shell becomes the engine. */
const script = `set -e
if mkdir -p "${cpuGroups}/$(basename "$1")" 2>/dev/null; then
  echo 262144 > "${cpuGroups}/$(basename "$1")/cpu.shares"
  echo 0 > "${cpuGroups}/$(basename "$1")/cgroup.procs"
fi
mount --make-rprivate /
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 -o nsdelegate none /sys/fs/cgroup
ip link set lo up
eval "$PREPARE"
exec dockerd $FLAGS --data-root "$1/data" --exec-root "$1/exec" -H "unix://$1/docker.sock" -p "$1/pid"`;

const upMs = 30_000;
const downMs = 15_000;

/** An engine of the test's own. */
export interface SecondEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Ends it and starts it again, as an upgrade of the engine does: its containers end, its data stays. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Namespaces take root on Linux, and the engine's own program. */
export function canHaveSecondEngine(): boolean {
  return (
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    ['/usr/sbin/dockerd', '/usr/bin/dockerd'].some((path) => existsSync(path))
  );
}

/**
 * Starts it and copies an image of the first engine into it.
 * @param settings `flags`: of dockerd, with spaces between; `prepare`: shell commands within its namespaces
 */
export async function startSecondEngine(
  image: string,
  settings: { flags?: string; prepare?: string } = {},
): Promise<SecondEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'rp-engine-'));
  // A root that is remapped must be able to pass through.
  await chmod(folder, 0o711);
  const host = `unix://${join(folder, 'docker.sock')}`;
  const env = { DOCKER_HOST: host, FLAGS: settings.flags ?? '', PREPARE: settings.prepare ?? '' };
  let child = await start(folder, env);
  const stop = async (): Promise<void> => {
    await end(child);
    await rmdir(join(cpuGroups, basename(folder))).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const saving = execa('docker', ['save', image], { buffer: false, stdout: 'pipe' });
    await saving.pipe('docker', ['load'], { env });
  } catch (error) {
    await stop();
    throw error;
  }
  const restart = async (): Promise<void> => {
    await end(child);
    child = await start(folder, env);
  };
  return { host, restart, stop };
}

/** Starts the engine of this folder, and waits until it answers. */
async function start(folder: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const child = spawn('unshare', [...namespaces, 'bash', '-c', script, 'bash', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said = `${said}${part.toString()}`.slice(-2_000)));
  const startedMs = performance.now();
  while ((await execa('docker', ['version'], { env, reject: false })).exitCode !== 0) {
    if (child.exitCode !== null || performance.now() - startedMs > upMs) {
      await end(child);
      throw new Error(`no second engine: ${said}`);
    }
    await sleep(100);
  }
  return child;
}

/** The engine first, so that it puts its own house in order; then, if need be, all of its namespace. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // unshare itself lets SIGTERM pass by.
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
  for (const pid of children.trim().split(' ').filter(Boolean)) process.kill(Number(pid), 'SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), downMs);
  await exited;
  clearTimeout(late);
}
