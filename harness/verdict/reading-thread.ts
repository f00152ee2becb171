/** Threads on which long files are read, beside each other and beside what is done with them. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';

/**
 * Starts one.
 * @param file the module that it runs
 * @param task what it is given, as its workerData
 * @param youngGenerationMb what it reads is short-lived, and needs no more room than this before it is thrown away
 */
export function startReadingThread(file: URL, task: unknown, youngGenerationMb: number): Worker {
  const cache = getCompileCacheDir();
  return new Worker(file, {
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    // A thread has the cache of compiled modules only by this variable: without it, it takes off types and compiles anew.
    ...(cache !== undefined && { env: { ...process.env, NODE_COMPILE_CACHE: dirname(cache) } }),
  });
}
