/**
 * Runs in a container of the engine, as a lab's server is one, and tells what bounds a result there. Its output is a
 * {@link Probe} as JSON. Imports nothing but Node: it is put there alone.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a container sees of the engine's host. */
export interface Probe {
  /** Values as text; null for a setting that the kernel does not have. */
  readonly sysctls: Readonly<Record<string, string | null>>;
  readonly wallMs: number;
  readonly monotonicUs: number;
  readonly memoryAvailableMiB: number;
  readonly diskFreeMiB: number;
  readonly cpus: number;
  /** Of the last minute. */
  readonly load: number;
  /** Percent of the last 10 s in which something waited for a CPU; null where the kernel does not tell. */
  readonly cpuPressurePercent: number | null;
  readonly sqlite: string;
  /** What systemd says of itself. */
  readonly systemd: string;
}

/** systemd is up in a second or two. */
const bootMs = 15_000;

const sysctls = [
  'net.core.somaxconn',
  'net.ipv4.tcp_abort_on_overflow',
  'net.ipv4.tcp_migrate_req',
  'net.ipv4.tcp_syn_linear_timeouts',
  'net.ipv4.ip_local_port_range',
];

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** A database as the site has it, on the container's own disk. */
function sqliteVersion(): string {
  const path = '/var/doctor.db';
  const database = new DatabaseSync(path);
  try {
    const mode = database.prepare('PRAGMA journal_mode=WAL').get()?.['journal_mode'];
    database.exec('CREATE TABLE notes (id INTEGER); INSERT INTO notes VALUES (1)');
    if (mode !== 'wal') throw new Error(`journal_mode is ${String(mode)}`);
    return process.versions['sqlite'] ?? 'unknown';
  } finally {
    database.close();
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  }
}

/** At first systemd has no bus yet; then it is waited for until it is up. */
async function systemdSays(): Promise<string> {
  const startedMs = performance.now();
  for (;;) {
    const { status, stdout, stderr } = spawnSync('systemctl', ['is-system-running', '--wait'], {
      encoding: 'utf8',
      timeout: bootMs,
    });
    // Its status is not 0 for `degraded` either, which is good enough here.
    if (stdout.trim() !== '') return stdout.trim();
    if (performance.now() - startedMs > bootMs) return stderr.trim() || `status ${status ?? 'none'}`;
    await sleep(100);
  }
}

const disk = statfsSync('/');
const probe: Probe = {
  systemd: await systemdSays(),
  sysctls: Object.fromEntries(
    sysctls.map((name) => [name, read(`/proc/sys/${name.replaceAll('.', '/')}`)?.replaceAll('\t', ' ') ?? null]),
  ),
  memoryAvailableMiB: Math.round(Number(/MemAvailable: +(\d+)/u.exec(read('/proc/meminfo') ?? '')?.[1]) / 1024),
  diskFreeMiB: Math.round((disk.bavail * disk.bsize) / 1024 ** 2),
  cpus: availableParallelism(),
  load: Number(read('/proc/loadavg')?.split(' ')[0]),
  cpuPressurePercent: toNumber(/some avg10=([\d.]+)/u.exec(read('/proc/pressure/cpu') ?? '')?.[1]),
  sqlite: sqliteVersion(),
  wallMs: Date.now(),
  monotonicUs: Number(process.hrtime.bigint() / 1000n),
};
console.log(JSON.stringify(probe));

function toNumber(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
