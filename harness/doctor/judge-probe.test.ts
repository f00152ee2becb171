import { describe, expect, it } from 'vitest';
import { canRun, findingsText, ok, problem, warning } from './finding.ts';
import { judgeProbe, type Probe } from './judge-probe.ts';
import { judgeLabs } from './this-engine.ts';

const healthy: Probe = {
  sysctls: {
    'net.core.somaxconn': '4096',
    'net.ipv4.tcp_abort_on_overflow': '0',
    'net.ipv4.tcp_migrate_req': '0',
    'net.ipv4.tcp_syn_linear_timeouts': null,
    'net.ipv4.ip_local_port_range': '32768 60999',
  },
  wallMs: 1_000_000,
  monotonicUs: 5,
  memoryAvailableMiB: 8_000,
  diskFreeMiB: 50_000,
  cpus: 2,
  load: 0.1,
  cpuPressurePercent: 0,
  sqlite: '3.50.0',
  systemd: 'running',
};
const here = { beforeMs: 999_990, afterMs: 1_000_010 };

/** What is not ok about a probe that differs in one thing. */
function complaints(change: Partial<Probe>, sysctls: Probe['sysctls'] = {}): string[] {
  const probe = { ...healthy, ...change, sysctls: { ...healthy.sysctls, ...sysctls } };
  return judgeProbe(probe, here)
    .filter(({ status }) => status !== 'ok')
    .map(({ check, status }) => `${status}: ${check}`);
}

describe('what a probe means', () => {
  it('is nothing to complain of on a healthy machine, whose kernel may lack a setting', () => {
    expect(complaints({})).toEqual([]);
  });

  it.each<[Partial<Probe>, Probe['sysctls'], string[]]>([
    // The socket unit of E5 asks for a backlog of 4096, which the kernel cuts to somaxconn.
    [{}, { 'net.core.somaxconn': '128' }, ['warning: somaxconn']],
    [{}, { 'net.core.somaxconn': null }, ['warning: somaxconn']],
    [{}, { 'net.ipv4.tcp_abort_on_overflow': '1' }, ['warning: tcp_abort_on_overflow']],
    [{}, { 'net.ipv4.ip_local_port_range': '60000 60999' }, ['warning: ip_local_port_range']],
    [{ wallMs: here.afterMs + 3_600_000 }, {}, ['warning: clocks']],
    [{ wallMs: here.beforeMs - 3_600_000 }, {}, ['warning: clocks']],
    [{ monotonicUs: 0 }, {}, ['problem: clocks']],
    [{ memoryAvailableMiB: 500 }, {}, ['warning: memory']],
    [{ memoryAvailableMiB: 100 }, {}, ['problem: memory']],
    [{ diskFreeMiB: 10 }, {}, ['problem: engine-disk']],
    [{ cpus: 1 }, {}, ['warning: cpu']],
    [{ cpuPressurePercent: 60 }, {}, ['warning: cpu']],
    // Where the kernel tells no pressure, the load average has to do.
    [{ cpuPressurePercent: null, load: 1.5 }, {}, ['warning: cpu']],
    [{ cpuPressurePercent: 0, load: 1.5 }, {}, []],
  ])('%j %j', (change, sysctls, expected) => {
    expect(complaints(change, sysctls)).toEqual(expected);
  });

  it('has a fix for whatever is not ok', () => {
    const findings = judgeProbe({ ...healthy, cpus: 1, memoryAvailableMiB: 1, diskFreeMiB: 1, monotonicUs: 0 }, here);
    for (const { status, fix } of findings) expect(fix === undefined).toBe(status === 'ok');
  });
});

describe('findings', () => {
  const all = [ok('node', 'here'), warning('cpu', 'busy', 'Wait.'), problem('engine', 'gone', 'Start it.')];

  it('stop a run only by a problem', () => {
    expect(canRun(all)).toBe(false);
    expect(canRun(all.slice(0, 2))).toBe(true);
  });

  it('are lines with a fix below, and a sentence at the end', () => {
    expect(findingsText(all)).toBe(
      'ok       node    here\n' +
        'warning  cpu     busy\n                 → Wait.\n' +
        'problem  engine  gone\n                 → Start it.\n' +
        'The lab cannot run here: 1 problem.\n',
    );
    expect(findingsText(all.slice(0, 2))).toMatch(/The lab can run here; 1 warning\.\n$/u);
    expect(findingsText(all.slice(0, 1))).toMatch(/The lab can run here\.\n$/u);
  });
});

describe('other labs', () => {
  it('are told apart: going on, or left over', () => {
    const live = { runId: 'a', state: 'live' } as const;
    const [stale, kept] = [{ runId: 'b', state: 'stale' } as const, { runId: 'c', state: 'kept' } as const];
    expect(judgeLabs([]).status).toBe('ok');
    expect(judgeLabs([live])).toMatchObject({ status: 'warning', says: 'going on: a' });
    expect(judgeLabs([live, stale])).toMatchObject({ says: 'going on: a; left over: b' });
    expect(judgeLabs([stale, kept])).toMatchObject({ says: 'left over: b, c' });
    expect(judgeLabs([stale]).fix).toMatch(/npm run clean/u);
  });
});
