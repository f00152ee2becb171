/** The last step of the process, when a thread may be stuck. */

/**
 * Ends the process at once with this status, even while a thread waits inside SQLite. Never returns.
 * process.exit joins every thread: with a writer that waits for the database's lock it took the whole busy_timeout
 * (20 s measured, Node 24). execve(2) replaces the process instead, whatever its threads do; what takes its place has
 * nothing to do but exit. The database survives this as it survives SIGKILL: what was not committed is not there.
 */
export function exitNow(status: number): never {
  try {
    process.execve?.('/bin/sh', ['sh', '-c', `exit ${status}`], {});
  } catch {
    // No shell here: the signal below needs none, at the price of the status.
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('SIGKILL was not enough');
}
