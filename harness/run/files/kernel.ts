/** witnesses/kernel.json: change of the kernel's counters over the load, by name (such as `TcpExt.ListenOverflows`). */

/** Beside the network's counters: how long some process waited for a CPU (pressure stall information), µs. */
export const cpuPressure = 'Machine.CpuPressureUs';

/** The share of the run, in percent, in which some process waited for a CPU; null where this kernel does not tell. */
export function pressurePercent(kernel: Readonly<Record<string, number>>, durationMs: number): number | null {
  const waitedUs = kernel[cpuPressure];
  return waitedUs === undefined || durationMs <= 0 ? null : Math.min(100, waitedUs / (durationMs * 10));
}
