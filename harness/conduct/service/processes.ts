/** Processes of this machine: those of a session, and those that listen on a port. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { execa } from 'execa';

/** A process. */
export interface ProcessSeen {
  readonly pid: number;
  readonly name: string;
  /** In clock ticks since the machine booted; with the pid it names a process for good. 0 where it is not known. */
  readonly startedAt: number;
}

const isLinux = process.platform === 'linux';

/** The living processes of a session, which on other systems than Linux is looked for as a process group. */
export async function processesOfSession(session: number): Promise<ProcessSeen[]> {
  if (!isLinux) return await processesOfGroup(session);
  const all = await Promise.all((await pids()).map(statOf));
  const members = all.filter((seen) => seen !== null).filter((seen) => seen.session === session && seen.state !== 'Z');
  return await Promise.all(
    members.map(async ({ pid, name, startedAt }) => ({ pid, name: (await programOf(pid)) ?? name, startedAt })),
  );
}

/** The name of a process that no other bears, as `pid/start time`; null when it has ended. */
export async function identityOf(pid: number): Promise<string | null> {
  if (isLinux) {
    const seen = await statOf(pid);
    return seen === null || seen.state === 'Z' ? null : `${pid}/${seen.startedAt}`;
  }
  try {
    process.kill(pid, 0);
    return `${pid}/0`;
  } catch {
    return null;
  }
}

/**
 * Who listens on a TCP port of this machine, or on the Unix socket of this path, as `pid/start time` of each process in
 * order; null where nobody listens, or it cannot be seen (another system than Linux, or another user's process).
 */
export async function listenersOn(place: number | string): Promise<string | null> {
  if (!isLinux) return null;
  const inodes = typeof place === 'number' ? await listeningInodes(place) : await inodesOfSocket(place);
  if (inodes.size === 0) return null;
  const holders = await Promise.all((await pids()).map(async (pid) => ((await holdsAny(pid, inodes)) ? pid : null)));
  const names = await Promise.all(holders.filter((pid) => pid !== null).map(identityOf));
  return names.filter((name) => name !== null).join(' ') || null;
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const inodes = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/u);
      if (state === '0A' && Number.parseInt(local.split(':')[1] ?? '', 16) === port) inodes.add(inode);
    }
  }
  return inodes;
}

async function inodesOfSocket(path: string): Promise<Set<string>> {
  const text = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.*)$/u.exec(line));
  const isListening = (flags = ''): boolean => (Number.parseInt(flags, 16) & 0x10000) !== 0;
  return new Set(lines.flatMap((of) => (of?.[3] === path && isListening(of[1]) ? (of[2] ?? []) : [])));
}

async function holdsAny(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const name of await readdir(folder).catch(() => [])) {
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/u.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/u.test(name)).map(Number);
}

async function statOf(pid: number): Promise<(ProcessSeen & { session: number; state: string }) | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The name may hold spaces and parentheses.
  const [, name = '', rest = ''] = /\((.*)\) ([\s\S]*)$/u.exec(text) ?? [];
  const fields = rest.trim().split(' ');
  return { pid, name, state: fields[0] ?? '', session: Number(fields[3]), startedAt: Number(fields[19]) };
}

/** The name of the program file: some programs rename their threads, and the first thread's name is the process's. */
async function programOf(pid: number): Promise<string | null> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return basename(words.split('\0')[0] ?? '') || null;
}

async function processesOfGroup(group: number): Promise<ProcessSeen[]> {
  const { stdout } = await execa('ps', ['-A', '-o', 'pid=,pgid=,stat=,comm='], { reject: false });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, pgid, state = '', name = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/u.exec(line) ?? [];
    if (Number(pgid) !== group || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), name, startedAt: 0 }];
  });
}

/** How many files and connections a process of ours may have open: Node takes the hard limit. null where nobody tells. */
export async function descriptorLimit(): Promise<number | null> {
  const limits = isLinux ? await readFile('/proc/self/limits', 'utf8').catch(() => '') : '';
  const limit = /^Max open files\s+\S+\s+(\d+)/mu.exec(limits)?.[1];
  return limit === undefined ? null : Number(limit);
}
