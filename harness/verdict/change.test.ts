import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../run/ledger.ts';
import { Change } from './change.ts';
import { badRow, row, window } from './testing.ts';

/** The deploy begins at 0.99 s: slot 50 is before it, slot 150 after. */
function wasSeen(...rows: readonly LedgerRow[]): boolean {
  const change = new Change([window]);
  for (const one of [row(50), ...rows]) change.add(one);
  return change.wasSeen();
}

describe('a change of a service', () => {
  it('is not seen where every answer is as before', () => {
    expect(wasSeen(row(150))).toBe(false);
    expect(wasSeen(badRow(51), badRow(150))).toBe(false);
  });

  it('is seen where a request fails in a way that none failed before', () => {
    expect(wasSeen(badRow(150))).toBe(true);
    expect(wasSeen(badRow(51), row(150, { outcome: 'refused', sentUs: null }))).toBe(true);
    // One that was in flight when the deploy began may have died of it.
    expect(wasSeen(badRow(98, { outcome: 'reset', doneUs: 1_200_000 }))).toBe(true);
  });

  it('is seen where another instance or version answers', () => {
    expect(wasSeen(row(150, { instance: 'j' }))).toBe(true);
    expect(wasSeen(row(150, { version: 'v1' }))).toBe(true);
    expect(wasSeen(row(51, { version: 'v1' }), row(150, { version: 'v1' }))).toBe(false);
  });

  it('is not what the generator itself could not send', () => {
    expect(wasSeen(row(150, { outcome: 'unsent', sentUs: null }))).toBe(false);
  });

  it('is not told by a service that gives each answer another name', () => {
    const before = Array.from({ length: 1_000 }, (_, index) => row(51, { instance: `b${index}` }));
    expect(wasSeen(...before, row(150, { instance: 'a' }))).toBe(false);
  });
});
