/** The unit on the server: systemd's view of it, its processes and its listening ports. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ContractPlan, Listener, UnitProcess, UnitState } from './messages.ts';

const run = promisify(execFile);
const pollMs = 10;
/** The longest that a process lives on after SIGKILL. */
const killMs = 5_000;
/** Between a process's environment and its files. */
const mark = '\n=files=\n';

/** Looks again and again until there is something to be found; undefined where there is nothing within `limitMs`. */
export async function found<T>(limitMs: number, look: () => T | undefined | Promise<T | undefined>) {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await sleep(pollMs);
  }
  return undefined;
}

/** Runs systemctl; what it refuses shows in the unit's state. */
export async function systemctl(...args: string[]): Promise<void> {
  await run('systemctl', args).catch(() => undefined);
}

const properties = 'ActiveState,Result,MainPID,ExecMainCode,ExecMainStatus,NRestarts,TimeoutStopUSec,Restart';

/** What systemd says of the unit. */
export async function stateOf(unit: string): Promise<UnitState> {
  const { stdout } = await run('systemctl', ['show', `--property=${properties}`, unit]);
  const values = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/su) as [string, string]));
  const text = (name: string): string => values[name] ?? '';
  // As waitid() has them: CLD_EXITED, CLD_KILLED, CLD_DUMPED.
  const ended = ({ 1: 'exited', 2: 'killed', 3: 'dumped' } as const)[text('ExecMainCode')] ?? '';
  return {
    activeState: text('ActiveState'),
    result: text('Result'),
    mainPid: Number(text('MainPID')),
    ended,
    status: Number(text('ExecMainStatus')),
    restarts: Number(text('NRestarts')),
    timeoutStopMs: spanMs(text('TimeoutStopUSec')),
    restart: text('Restart'),
  };
}

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, min: 60_000, s: 1_000, ms: 1, us: 0.001 };

/** Of systemd's `1min 30s`; null of `infinity`. */
export function spanMs(text: string): number | null {
  const parts = [...text.matchAll(/([\d.]+)(h|min|ms|us|s)\b/gu)];
  return parts.length === 0
    ? null
    : parts.reduce((sum, [, count, name]) => sum + Number(count) * (unitsMs[name ?? ''] ?? 0), 0);
}

/** Is the process there? One that has ended and was not waited for yet is not. */
export function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Ends it with SIGKILL, however it is, so that it can be started anew. */
export async function end(unit: string): Promise<void> {
  await systemctl('stop', '--no-block', unit);
  await found(killMs, async () => {
    await systemctl('kill', '--signal=SIGKILL', unit);
    const { activeState } = await stateOf(unit);
    return activeState === 'inactive' || activeState === 'failed' ? activeState : undefined;
  });
  await systemctl('reset-failed', unit);
}

/** Does something while these settings stand over those of a unit. */
export async function withSettings<T>(unit: string, settings: string, during: () => Promise<T>): Promise<T> {
  const folder = `/run/systemd/system/${unit}.d`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/90-doctor.conf`, settings);
  await systemctl('daemon-reload');
  const seen = await during();
  rmSync(`${folder}/90-doctor.conf`);
  await systemctl('daemon-reload');
  return seen;
}

/** Listening ports of the server. */
export async function listeners(): Promise<Listener[]> {
  const { stdout } = await run('ss', ['-H', '-l', '-t', '-n', '-e']);
  return stdout.split('\n').flatMap((row) => {
    const [, , backlog, local = ''] = row.trim().split(/\s+/u);
    const inode = /\bino:(\d+)/u.exec(row)?.[1];
    const [, address = '', port] = /^(.*):(\d+)$/u.exec(local) ?? [];
    return inode === undefined ? [] : [{ address, port: Number(port), inode, backlog: Number(backlog) }];
  });
}

/** The processes of the unit. */
export async function processesOf(unit: string): Promise<UnitProcess[]> {
  const { stdout } = await run('systemctl', ['show', '--property=ControlGroup,MainPID', unit]);
  const group = /^ControlGroup=(.+)$/mu.exec(stdout)?.[1];
  const main = Number(/^MainPID=(\d+)$/mu.exec(stdout)?.[1] ?? 0);
  if (group === undefined) return [];
  const processes = await Promise.all(pidsOf(group).map((pid) => processOf(pid, main)));
  return processes.filter((process) => process !== null);
}

/** On cgroup v1 systemd has a tree of its own. */
function pidsOf(group: string): number[] {
  for (const tree of ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd']) {
    try {
      return pidsBelow(`${tree}${group}`);
    } catch {
      // The other one.
    }
  }
  return [];
}

function pidsBelow(folder: string): number[] {
  const own = readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...below.flatMap(({ name }) => pidsBelow(`${folder}/${name}`))];
}

/** Of what a process has open only its own user may know: without CAP_SYS_PTRACE root may not. */
async function processOf(pid: number, main: number): Promise<UnitProcess | null> {
  try {
    const { uid, gid } = statSync(`/proc/${pid}`);
    const script = `cat /proc/${pid}/environ; echo; echo =files=; for f in /proc/${pid}/fd/*; do readlink "$f"; done`;
    const { stdout } = await run('/bin/sh', ['-c', script], { uid, gid }).catch((error: unknown) => ({
      stdout: (error as { stdout?: string }).stdout ?? '',
    }));
    const [environment = '', files = ''] = stdout.split(mark);
    return {
      pid,
      name: basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? ''),
      isMain: pid === main,
      sockets: [...files.matchAll(/^socket:\[(\d+)\]$/gmu)].map(([, inode]) => inode ?? ''),
      listenPid: /(?:^|\0)LISTEN_PID=(\d+)/u.exec(environment)?.[1] ?? null,
    };
  } catch {
    return null;
  }
}

/** The last lines that it said itself, without their stamps. */
export async function lastWords({ unit }: ContractPlan): Promise<string[]> {
  const asked = ['--no-pager', '-n', '60', '-o', 'cat', `_SYSTEMD_UNIT=${unit}`];
  const { stdout } = await run('journalctl', asked).catch(() => ({ stdout: '' }));
  return tellingLines(stdout.split('\n').filter((line) => line !== ''));
}

/** The last line that names an error, and what was said last: a trace and the version may stand between them. */
export function tellingLines(lines: readonly string[]): string[] {
  const last = lines.slice(-2);
  const error = lines
    .slice(0, -2)
    .findLast((line) => /^(?:\S+: )?(?:panic|fatal|[\w.]*(?:Error|Exception))\b.*:/u.test(line));
  return error === undefined || last.some((line) => /Error|Exception/u.test(line)) ? lines.slice(-6) : [error, ...last];
}
