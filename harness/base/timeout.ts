/** A limit on how long a step may take. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from './errors.ts';

/**
 * The promise's result, if it comes in time.
 * @param what what is waited for, as in "… took longer than"
 * @throws {HarnessError} `engine-slow` when it does not
 */
export async function withTimeout<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const over = new AbortController();
  // Whoever gives up does not hear how it ended.
  promise.catch(() => undefined);
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new HarnessError('engine-slow', `${what} took longer than ${ms / 1000} s.`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
