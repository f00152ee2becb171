import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../load/row.ts';
import { StaleCount } from './stale.ts';
import { row, window } from './testing.ts';

/** Two restarts: v0 is out of rotation from 1 s on, v1 from 3 s on. */
const windows = [
  { ...window, restart: 1, retireUs: 1_000_000 },
  { ...window, restart: 2, retireUs: 3_000_000 },
];

function stale(...rows: LedgerRow[]): number {
  const count = new StaleCount();
  for (const one of rows) count.add(one);
  return count.result(windows);
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
    const count = new StaleCount();
    count.add(answer('v12', 1_500_000));
    count.add(answer('v11', 1_600_000));
    expect(count.result([{ ...window, restart: 12, retireUs: 1_000_000 }])).toBe(1);
  });

  it('are none where no deploy retired a version', () => {
    const count = new StaleCount();
    count.add(newer);
    count.add(answer('v0', 9_000_000));
    expect(count.result([{ ...window, retireUs: null }])).toBe(0);
    expect(count.result([])).toBe(0);
  });
});
