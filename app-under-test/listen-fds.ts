/** The socket that systemd passes (socket activation), as sd_listen_fds(3) describes it. */
import { execFile } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** SD_LISTEN_FDS_START: systemd passes its sockets from this file descriptor on. */
const firstFd = 3;

/**
 * The kernel caps a queue at net.core.somaxconn (4096 by default): asked for when the true length is not known, and
 * where the site binds its own port.
 */
export const longBacklog = 4096;

/**
 * The file descriptors of the listening sockets that systemd passed to this very process. LISTEN_PID must name this
 * process: variables that came through a wrapper (`sh -c`, `npm start`) were meant for another one. The one that is
 * named `internal` (FileDescriptorName=) is that of the internal port; of the others the first is the public one.
 * Removes the variables from `env`, so that no child takes them for its own.
 */
export function takeListenFds(env: NodeJS.ProcessEnv, pid: number) {
  const { LISTEN_PID: listenPid, LISTEN_FDS: listenFds, LISTEN_FDNAMES: names = '' } = env;
  delete env['LISTEN_PID'];
  delete env['LISTEN_FDS'];
  delete env['LISTEN_FDNAMES'];
  const isForUs = listenPid === String(pid) && /^[1-9]\d*$/u.test(listenFds ?? '');
  const count = isForUs ? Number(listenFds) : 0;
  const internal = names.split(':').slice(0, count).indexOf('internal');
  const isInternalAlone = internal === 0 && count === 1;
  return {
    internalFd: internal < 0 ? undefined : firstFd + internal,
    publicFd: count === 0 || isInternalAlone ? undefined : internal === 0 ? firstFd + 1 : firstFd,
  };
}

/**
 * The length of an inherited listening socket's queue, as its owner set it (systemd's Backlog=).
 * Node calls listen(2) again on a socket it inherits, with 511 unless told otherwise, and that would change the queue
 * for good, for all who hold the socket. No system call tells the length; `ss` asks the kernel's sock_diag.
 * Rejects with an Error that says why the length is not known.
 */
export async function inheritedBacklog(fd: number): Promise<number> {
  const link = await readlink(`/proc/self/fd/${fd}`);
  const inode = /^socket:\[(\d+)\]$/u.exec(link)?.[1];
  if (inode === undefined) throw new Error(`file descriptor ${fd} is no socket (${link})`);
  const { stdout } = await promisify(execFile)('ss', ['-Hltne'], { timeout: 2000 });
  return backlogInListing(stdout, inode);
}

/**
 * The Send-Q of the socket with this inode in the output of `ss -Hltne`, which for a listening socket is the length of
 * its queue. Throws an Error if it is not listed.
 */
export function backlogInListing(listing: string, inode: string): number {
  const line = listing.split('\n').find((candidate) => candidate.split(/\s+/u).includes(`ino:${inode}`));
  const sendQueue = /^LISTEN\s+\d+\s+(\d+)\s/u.exec(line ?? '')?.[1];
  if (sendQueue === undefined) throw new Error(`ss lists no listening TCP socket with inode ${inode}`);
  return Number(sendQueue);
}
