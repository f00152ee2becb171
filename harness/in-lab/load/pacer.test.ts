import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotsDueBy } from './pacer.ts';
import { dueUsOf } from '../../experiment/load-schedule.ts';

const rates = fc.integer({ min: 1, max: 5_000 });

describe('pacer', () => {
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
