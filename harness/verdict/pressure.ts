/** How busy the machine was: the kernel's pressure stall information. */
import { cpuPressure } from '../lab/kernel-counters.ts';

/** The share of the run, in percent, in which some process waited for a CPU; null where this kernel does not tell. */
export function pressurePercent(kernel: Readonly<Record<string, number>>, durationMs: number): number | null {
  const waitedUs = kernel[cpuPressure];
  return waitedUs === undefined || durationMs <= 0 ? null : Math.min(100, waitedUs / (durationMs * 10));
}
