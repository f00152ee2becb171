/** The kernel's own counts of what became of connections, in the server's network namespace. */
import type Docker from 'dockerode';
import { cpuPressure } from '../run/files/kernel.ts';
import { exec } from './engine/exec.ts';

/** Counters that tell of refused, dropped, reset and repeated connections. */
const wanted = new Set([
  'TcpExt.ListenOverflows',
  'TcpExt.ListenDrops',
  'TcpExt.TCPSynRetrans',
  'TcpExt.TCPReqQFullDrop',
  'TcpExt.TCPAbortOnData',
  'TcpExt.TCPAbortOnClose',
  'Tcp.ActiveOpens',
  'Tcp.PassiveOpens',
  'Tcp.AttemptFails',
  'Tcp.EstabResets',
  'Tcp.OutRsts',
  'Tcp.RetransSegs',
]);

/** Reads the counters now. */
export async function readKernelCounters(server: Docker.Container): Promise<Record<string, number>> {
  const [net, pressure] = await Promise.all([
    exec(server, ['cat', '/proc/net/snmp', '/proc/net/netstat']),
    exec(server, ['cat', '/proc/pressure/cpu']),
  ]);
  // Not every kernel has it.
  const some = /^some .*total=(\d+)/mu.exec(pressure.stdout)?.[1];
  return { ...parseCounters(net.stdout), ...(some !== undefined && { [cpuPressure]: Number(some) }) };
}

/** Parses /proc/net/snmp and /proc/net/netstat: for each protocol a line of names and then a line of values. */
export function parseCounters(text: string): Record<string, number> {
  const counters: Record<string, number> = {};
  const lines = text.split('\n').filter((line) => line !== '');
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const [protocol = '', ...names] = (lines[index] ?? '').split(' ');
    const [, ...values] = (lines[index + 1] ?? '').split(' ');
    for (const [column, name] of names.entries()) {
      const key = `${protocol.replace(':', '')}.${name}`;
      if (wanted.has(key)) counters[key] = Number(values[column]);
    }
  }
  return counters;
}

/** What happened between two readings. */
export function counterChange(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}
