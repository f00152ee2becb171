/** What a probe's values mean for a run. */
import { ok, problem, warning, type Finding } from './finding.ts';
import type { Probe } from './probe.ts';

/** The queue that E5's socket unit asks for; the kernel caps it at somaxconn. */
const wantedBacklog = 4_096;
/** Containers, their logs and a database: what a run needs at least, and what it needs to be at ease. */
const memoryMiB = { least: 300, ease: 1_024 } as const;
const diskMiB = { least: 200, ease: 2_048 } as const;
/** Above this share of waiting, sends begin to leave late. */
const easyPressurePercent = 10;
/** Clocks of two machines that differ by more than this are wrong rather than apart. */
const clockMs = 5_000;

/**
 * One finding for each thing that was looked at.
 * @param here the wall clock of this machine, in ms, before and after the probe was asked
 */
export function judgeProbe(probe: Probe, here: { beforeMs: number; afterMs: number }): Finding[] {
  return [
    ...judgeSysctls(probe),
    ok('sqlite', `SQLite ${probe.sqlite} writes in WAL mode on the engine's disk`),
    judgeClocks(probe, here),
    judgeRoom('memory', probe.memoryAvailableMiB, memoryMiB, "Stop what is not needed on the engine's machine."),
    judgeRoom('engine-disk', probe.diskFreeMiB, diskMiB, '`docker system df` shows what takes the room.'),
    judgeCpu(probe),
  ];
}

function judgeSysctls({ sysctls }: Probe): Finding[] {
  const somaxconn = Number(sysctls['net.core.somaxconn']);
  const abort = sysctls['net.ipv4.tcp_abort_on_overflow'];
  const [low = 0, high = 0] = (sysctls['net.ipv4.ip_local_port_range'] ?? '').split(' ').map(Number);
  const ports = high - low + 1;
  const or = (value: string | null | undefined): string => value ?? 'not in this kernel';
  return [
    somaxconn < wantedBacklog
      ? warning(
          'somaxconn',
          `${somaxconn}: a listening queue holds so many connections, whatever Backlog= says`,
          `On the engine's host: sysctl -w net.core.somaxconn=${wantedBacklog}`,
        )
      : ok('somaxconn', `${somaxconn}`),
    abort === '0'
      ? ok('tcp_abort_on_overflow', '0: a full queue makes connections wait')
      : warning(
          'tcp_abort_on_overflow',
          `${or(abort)}: a full queue resets connections instead of letting them wait`,
          "On the engine's host: sysctl -w net.ipv4.tcp_abort_on_overflow=0",
        ),
    ok('tcp_migrate_req', `${or(sysctls['net.ipv4.tcp_migrate_req'])} (recorded with each run)`),
    ok('tcp_syn_linear_timeouts', `${or(sysctls['net.ipv4.tcp_syn_linear_timeouts'])} (recorded with each run)`),
    ports < 16_000
      ? warning(
          'ip_local_port_range',
          `${low} to ${high}: ${ports} ports for the proxy's connections to the site`,
          'On the engine\'s host: sysctl -w net.ipv4.ip_local_port_range="32768 60999"',
        )
      : ok('ip_local_port_range', `${low} to ${high}`),
  ];
}

/** The clock of the harness is used for a run's name alone, so that a wrong one is no problem, and worth a word. */
function judgeClocks(
  { wallMs, monotonicUs }: Probe,
  { beforeMs, afterMs }: { beforeMs: number; afterMs: number },
): Finding {
  const offMs = wallMs < beforeMs ? wallMs - beforeMs : wallMs > afterMs ? wallMs - afterMs : 0;
  if (!(monotonicUs > 0)) {
    return problem('clocks', "the engine's kernel has no monotonic clock that can be read", 'Use another engine.');
  }
  if (Math.abs(offMs) > clockMs) {
    const seconds = (Math.abs(offMs) / 1000).toFixed(0);
    return warning(
      'clocks',
      `the engine's clock is ${seconds} s ${offMs < 0 ? 'behind' : 'ahead of'} this machine's; a run's name and date are from here, its stamps from there`,
      'Synchronise both (NTP), if dates matter.',
    );
  }
  return ok('clocks', "the engine's clock agrees with this machine's; stamps are its monotonic clock");
}

function judgeRoom(
  check: string,
  freeMiB: number,
  { least, ease }: { least: number; ease: number },
  fix: string,
): Finding {
  const says = `${freeMiB} MiB free`;
  if (freeMiB < least) return problem(check, `${says}, and ${least} are needed`, fix);
  return freeMiB < ease ? warning(check, `${says}; ${ease} are easy`, fix) : ok(check, says);
}

function judgeCpu({ cpus, load, cpuPressurePercent }: Probe): Finding {
  const pressure =
    cpuPressurePercent === null ? '' : `, something waited for one ${cpuPressurePercent} % of the last 10 s`;
  const says = `${cpus} CPUs, load ${load.toFixed(1)}${pressure}`;
  const fix = 'Let other work end first: requests that leave late make a run inconclusive.';
  if (cpus < 2)
    return warning('cpu', `${says}; load generator and site share one`, 'Use an engine with 2 CPUs or more.');
  const isBusy = cpuPressurePercent === null ? load > cpus / 2 : cpuPressurePercent > easyPressurePercent;
  return isBusy ? warning('cpu', says, fix) : ok('cpu', says);
}
