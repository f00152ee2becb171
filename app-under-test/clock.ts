/** The one clock of all stamps: CLOCK_MONOTONIC, which the kernel shares between all processes and containers. */
import { performance } from 'node:perf_hooks';

/** Now, as CLOCK_MONOTONIC in whole microseconds (libuv's hrtime reads that clock on Linux). */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * When this process began, as CLOCK_MONOTONIC in whole microseconds.
 * It is Node's own time origin, taken early in its main(): the few milliseconds of exec and dynamic linking before it
 * are not included. The start time in /proc counts in steps of 10 ms and on another clock, so it is not used.
 */
export function processStartUs(): number {
  return Math.round(monotonicUs() - performance.now() * 1000);
}
