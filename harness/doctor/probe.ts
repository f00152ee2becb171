/**
 * Runs in a container of the engine, as a lab's server does, and prints a {@link Probe} as JSON. Alone there, it imports
 * nothing but Node (and a type, which Node takes away).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from './judge-probe.ts';

/** systemd is up in a second or two. */
const bootMs = 15_000;

const sysctls = [
  'net.core.somaxconn',
  ...['tcp_abort_on_overflow', 'tcp_migrate_req', 'tcp_syn_linear_timeouts', 'ip_local_port_range'].map(
    (name) => `net.ipv4.${name}`,
  ),
];

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** The number that the pattern's group finds in the file, else null. */
function numberIn(path: string, pattern: RegExp): number | null {
  const found = pattern.exec(read(path) ?? '')?.[1];
  return found === undefined ? null : Number(found);
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

/** Waits until systemd, which at first has no bus, says how it is. */
async function systemdSays(): Promise<string> {
  const startedMs = performance.now();
  for (;;) {
    const options = { encoding: 'utf8', timeout: bootMs } as const;
    const { status, stdout, stderr } = spawnSync('systemctl', ['is-system-running', '--wait'], options);
    // The status is not 0 for `degraded` either, which is good enough here.
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
  memoryAvailableMiB: Math.round((numberIn('/proc/meminfo', /MemAvailable: +(\d+)/u) ?? 0) / 1024),
  diskFreeMiB: Math.round((disk.bavail * disk.bsize) / 1024 ** 2),
  cpus: availableParallelism(),
  load: numberIn('/proc/loadavg', /^([\d.]+)/u) ?? 0,
  cpuPressurePercent: numberIn('/proc/pressure/cpu', /some avg10=([\d.]+)/u),
  sqlite: sqliteVersion(),
  wallMs: Date.now(),
  monotonicUs: Number(process.hrtime.bigint() / 1000n),
};
console.log(JSON.stringify(probe));
