/** Whose a lab is: every object of ours in the engine carries the name of the process that made it. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * This process, as `<host>/<pid>/<4 hex>`. Hosts may bear the same name and process ids come again, hence the third part:
 * two owners are the same only if they are one process.
 */
export const thisOwner = `${hostname()}/${process.pid}/${randomBytes(2).toString('hex')}`;

/**
 * What is made outside of a measurement (a trial of \`doctor\`; a lab of a checkout from before the measuring lock) has an
 * owner without a third part, who holds no lock. It counts as alive while its process is there; of another host's process
 * nothing can be said, so that counts too.
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
