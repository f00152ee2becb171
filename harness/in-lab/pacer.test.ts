import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueUsOf, slotCount, slotsDueBy } from './pacer.ts';

const rates = fc.integer({ min: 1, max: 5_000 });

describe('pacer', () => {
  it('has exactly rate × seconds slots, with no fence post', () => {
    expect(slotCount(200, 20_000)).toBe(4_000);
    expect(slotCount(1, 1_000)).toBe(1);
    expect(slotCount(80, 0)).toBe(0);
  });

  it('spaces slots evenly from the origin on', () => {
    expect([0, 1, 2, 3].map((seq) => dueUsOf(seq, 3))).toEqual([0, 333_333, 666_667, 1_000_000]);
  });

  it('counts a slot as due from its due time on, and never before', () => {
    fc.assert(
      fc.property(rates, fc.nat(100_000), (rate, seq) => {
        const dueUs = dueUsOf(seq, rate);
        expect(slotsDueBy(dueUs, rate, seq + 10)).toBe(seq + 1);
        expect(slotsDueBy(dueUs - 1, rate, seq + 10)).toBe(seq);
      }),
    );
  });

  it('has none before the origin and never more than there are', () => {
    expect(slotsDueBy(-1, 100, 5)).toBe(0);
    expect(slotsDueBy(1e9, 100, 5)).toBe(5);
  });
});
