import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e2 from '../../experiments/E2-drain-only.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import type { LedgerRow } from '../run/ledger.ts';
import type { TimelineEvent } from '../run/timeline.ts';
import { outOfRotation, StaleCount } from './stale.ts';
import { row, window } from './testing.ts';

/** Two restarts: v0 is out of rotation from 1 s on, v1 from 3 s on. */
const windows = [
  { ...window, restart: 1, retireUs: 1_000_000 },
  { ...window, restart: 2, retireUs: 3_000_000 },
];

function stale(...rows: LedgerRow[]): number {
  const count = new StaleCount(4);
  for (const one of rows) count.add(one);
  return count.result(
    windows,
    windows.map(({ retireUs }) => retireUs),
  );
}

const answer = (version: string | null, sentUs: number | null, over: Partial<LedgerRow> = {}): LedgerRow =>
  row(0, { version, sentUs, doneUs: (sentUs ?? 0) + 1_000, ...over });

const newer = answer('v1', 1_500_000);

describe('stale answers', () => {
  it('are sent after the deploy took their version out of rotation, and after a newer one had answered', () => {
    expect(stale(newer, answer('v0', 1_501_000))).toBe(0);
    expect(stale(newer, answer('v0', 1_501_001))).toBe(1);
    // Answered by the newer one before the older was out of rotation: then its retiring decides.
    expect(stale(answer('v1', 500_000), answer('v0', 1_000_000))).toBe(0);
    expect(stale(answer('v1', 500_000), answer('v0', 1_000_001))).toBe(1);
  });

  it('go by the earliest answer of a newer version, in whatever order the rows come', () => {
    expect(stale(answer('v1', 2_000_000), newer, answer('v0', 1_600_000))).toBe(1);
    expect(stale(newer, answer('v1', 2_000_000), answer('v0', 1_600_000))).toBe(1);
    expect(stale(answer('v0', 1_600_000), newer)).toBe(1);
  });

  it('are known by any newer version, not only the next', () => {
    expect(stale(answer('v2', 3_500_000), answer('v0', 3_600_000))).toBe(1);
    expect(stale(answer('v2', 3_500_000), answer('v1', 3_600_000))).toBe(1);
    expect(stale(answer('v1', 3_500_000), answer('v1', 3_600_000))).toBe(0);
    expect(stale(newer, answer('v1', 2_500_000))).toBe(0);
  });

  it('are ok answers of a request that was sent, by a version of ours', () => {
    const late = 2_000_000;
    expect(stale(newer, answer('v0', late, { outcome: 'status-503' }))).toBe(0);
    expect(stale(newer, answer('v0', null))).toBe(0);
    expect(stale(answer('v1', null), answer('v0', late))).toBe(0);
    for (const version of [null, 'v', 'vx', 'xv0', 'v0x', '0']) expect(stale(newer, answer(version, late))).toBe(0);
    expect(stale(answer('v1', 1_500_000, { outcome: 'status-503' }), answer('v0', late))).toBe(0);
  });

  it('are counted over versions of several digits', () => {
    const count = new StaleCount(4);
    count.add(answer('v12', 1_500_000));
    count.add(answer('v11', 1_600_000));
    expect(count.result([{ ...window, restart: 12 }], [1_000_000])).toBe(1);
  });

  it('are none where no deploy retired a version', () => {
    const count = new StaleCount(4);
    count.add(newer);
    count.add(answer('v0', 9_000_000));
    expect(count.result([window], [null])).toBe(0);
    expect(count.result([], [])).toBe(0);
  });
});

describe('from when on the old version must not answer', () => {
  const retired = { ...window, retireUs: 4_000_000 };
  const down = (atUs: number): TimelineEvent => ({ atUs, kind: 'check-down', source: 'proxy', restart: 1 });

  it('is when the deploy retired it, where the process that owns the port is restarted', () => {
    expect(outOfRotation([retired], [down(4_300_000)], e1)).toEqual([4_000_000]);
    expect(outOfRotation([{ ...window, retireUs: null }], [], e1)).toEqual([null]);
    // Whether a check looks on or not.
    expect(outOfRotation([retired], [down(4_300_000)], e2)).toEqual([4_000_000]);
  });

  it('is when the deploy retired it, where the proxy’s file does the cut-over, or there is no check', () => {
    const byFile = { ...e6, proxy: { ...e6.proxy, cutover: 'atomic-rewrite' as const } };
    expect(outOfRotation([retired], [down(4_300_000)], byFile)).toEqual([4_000_000]);
    const unchecked = { ...e6, proxy: { ...e6.proxy, check: undefined } };
    expect(outOfRotation([retired], [down(4_300_000)], unchecked)).toEqual([4_000_000]);
  });

  it('is when the check has seen it leave, where the check does the cut-over', () => {
    // Before it was retired the check saw another colour leave.
    expect(outOfRotation([retired], [down(1_000_000), down(4_300_000)], e6)).toEqual([4_300_000]);
    // What else happens meanwhile is nothing that the check has seen.
    const other: TimelineEvent = { ...down(4_100_000), kind: 'check-up' };
    expect(outOfRotation([retired], [other, down(4_300_000)], e6)).toEqual([4_300_000]);
    expect(outOfRotation([retired], [down(4_000_000)], e6)).toEqual([4_000_000]);
  });

  it('is not later than one interval and one timeout of the check', () => {
    const { intervalMs = 0, timeoutMs = 0 } = e6.proxy.check ?? {};
    const latestUs = 4_000_000 + (intervalMs + timeoutMs) * 1000;
    expect(outOfRotation([retired], [], e6)).toEqual([latestUs]);
    expect(outOfRotation([retired], [down(latestUs + 1)], e6)).toEqual([latestUs]);
    expect(outOfRotation([{ ...window, retireUs: null }], [down(1)], e6)).toEqual([null]);
  });
});
