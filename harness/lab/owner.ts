/** Whose a lab is: every object of ours in the engine carries the name of the process that made it. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * This process, as `<host>/<pid>/<4 hex>`. Hosts may bear the same name and process ids come again, hence the third part:
 * two owners are the same only if they are one process.
 */
export const thisOwner = `${hostname()}/${process.pid}/${randomBytes(2).toString('hex')}`;

/**
 * Labs that are made without the measuring lock (a trial of `doctor`; a lab of an older checkout) have an owner without a
 * third part. Such an owner counts as alive while its process is there; one on another host cannot be seen, and counts as
 * alive too.
 */
export function isAliveWithoutLock(owner: string): boolean {
  const [host, pid, token] = owner.split('/');
  if (token !== undefined || host === undefined || pid === undefined) return false;
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** An owner in words: `process 123 on build-7`. */
export function ownerInWords(owner: string): string {
  const [host = '', pid = ''] = owner.split('/');
  return host === '' || pid === '' ? 'an unknown process' : `process ${pid} on ${host}`;
}
