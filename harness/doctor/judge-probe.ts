/** What a container sees of the engine's host, and what that means for a run. */
import { judgeRoom, ok, problem, warning, type Finding } from './finding.ts';

/** What probe.ts prints, as JSON. */
export interface Probe {
  /** Values as text; null for a setting that the kernel does not have. */
  readonly sysctls: Readonly<Record<string, string | null>>;
  readonly wallMs: number;
  readonly monotonicUs: number;
  readonly memoryAvailableMiB: number;
  readonly diskFreeMiB: number;
  readonly cpus: number;
  /** Load average of the last minute. */
  readonly load: number;
  /** Percent of the last 10 s in which something waited for a CPU; null where the kernel does not tell. */
  readonly cpuPressurePercent: number | null;
  readonly sqlite: string;
  /** What systemd says of itself. */
  readonly systemd: string;
}

/** The queue that E5's socket unit asks for; the kernel caps it at somaxconn. */
const wantedBacklog = 4_096;
/** Containers, their logs and a database need `least`, and are comfortable with `ease`. */
const memoryMiB = { least: 300, ease: 1_024 } as const;
const diskMiB = { least: 200, ease: 2_048 } as const;
/** Above this share of waiting, sends begin to leave late. */
const easyPressurePercent = 10;
/** A larger difference between the clocks is a wrong clock, not the time that asking takes. */
const clockMs = 5_000;

/**
 * One finding a check.
 * @param here the wall clock of this machine, in ms, before and after the probe was asked
 */
export function judgeProbe(probe: Probe, here: { beforeMs: number; afterMs: number }): Finding[] {
  const { memoryAvailableMiB: memory, diskFreeMiB: disk } = probe;
  const [stop, look] = [
    "Stop what is not needed on the engine's machine.",
    '`docker system df` shows what takes room.',
  ];
  return [
    ...judgeSysctls(probe),
    ok('sqlite', `SQLite ${probe.sqlite} writes in WAL mode on the engine's disk`),
    judgeClocks(probe, here),
    judgeRoom('memory', `${memory} MiB free`, { freeMiB: memory, ...memoryMiB }, stop),
    judgeRoom('engine-disk', `${disk} MiB free`, { freeMiB: disk, ...diskMiB }, look),
    judgeCpu(probe),
  ];
}

function judgeSysctls({ sysctls }: Probe): Finding[] {
  const text = (name: string): string => sysctls[name] ?? 'not in this kernel';
  const [somaxconn, overflow] = [text('net.core.somaxconn'), text('net.ipv4.tcp_abort_on_overflow')];
  const [low = 0, high = 0] = text('net.ipv4.ip_local_port_range').split(' ').map(Number);
  const ports = high - low + 1;
  const set = (setting: string): string => `On the engine's host: sysctl -w ${setting}`;
  const queue = `${somaxconn}: a listening queue holds no more connections than this, whatever Backlog= says`;
  const reset = `${overflow}: a full queue resets connections instead of letting them wait`;
  const range = `${low} to ${high}`;
  return [
    Number(somaxconn) >= wantedBacklog
      ? ok('somaxconn', somaxconn)
      : warning('somaxconn', queue, set(`net.core.somaxconn=${wantedBacklog}`)),
    overflow === '0'
      ? ok('tcp_abort_on_overflow', '0: a full queue makes connections wait')
      : warning('tcp_abort_on_overflow', reset, set('net.ipv4.tcp_abort_on_overflow=0')),
    ...['tcp_migrate_req', 'tcp_syn_linear_timeouts'].map((name) =>
      ok(name, `${text(`net.ipv4.${name}`)} (recorded with each run)`),
    ),
    ports >= 16_000
      ? ok('ip_local_port_range', range)
      : warning(
          'ip_local_port_range',
          `${range}: ${ports} ports for the proxy's connections to the site`,
          set('net.ipv4.ip_local_port_range="32768 60999"'),
        ),
  ];
}

/** The harness takes a run's name and date from its own clock, so a wrong one is a warning. */
function judgeClocks({ wallMs, monotonicUs }: Probe, here: { beforeMs: number; afterMs: number }): Finding {
  const offMs = Math.min(wallMs - here.beforeMs, 0) + Math.max(wallMs - here.afterMs, 0);
  if (!(monotonicUs > 0)) {
    return problem('clocks', "the engine's kernel has no monotonic clock that can be read", 'Use another engine.');
  }
  if (Math.abs(offMs) <= clockMs) {
    return ok('clocks', "the engine's clock agrees with this machine's; stamps are its monotonic clock");
  }
  const off = `${(Math.abs(offMs) / 1000).toFixed(0)} s ${offMs < 0 ? 'behind' : 'ahead of'}`;
  const says = `the engine's clock is ${off} this machine's; a run's name and date are from here, its stamps from there`;
  return warning('clocks', says, 'Synchronise both (NTP), if dates matter.');
}

function judgeCpu({ cpus, load, cpuPressurePercent: pressure }: Probe): Finding {
  const waited = pressure === null ? '' : `, something waited for one ${pressure} % of the last 10 s`;
  const says = `${cpus} CPUs, load ${load.toFixed(1)}${waited}`;
  if (cpus < 2) {
    return warning('cpu', `${says}; load generator and site share one`, 'Use an engine with 2 CPUs or more.');
  }
  const isBusy = pressure === null ? load > cpus / 2 : pressure > easyPressurePercent;
  const fix = 'Let other work end first: requests that leave late make a run inconclusive.';
  return isBusy ? warning('cpu', says, fix) : ok('cpu', says);
}
