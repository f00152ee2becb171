import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { risingOrder } from './numbers.ts';
import { FirstSpanMet, LastReached, SpansAt } from './span-lookup.ts';

const moment = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(Infinity, -Infinity));
const spans = fc.array(fc.record({ fromUs: moment, toUs: moment }), { maxLength: 12 });
const asked = fc.array(moment, { maxLength: 40 });

describe('lookups give what looking through all of them gives', () => {
  it('the spans at a moment', () => {
    fc.assert(
      fc.property(spans, asked, (all, moments) => {
        const lookup = new SpansAt(all);
        for (const us of moments) {
          const naive = all.flatMap(({ fromUs, toUs }, index) => (us >= fromUs && us < toUs ? [index] : []));
          expect(lookup.at(us)).toEqual(naive);
          expect(lookup.holds(us)).toBe(naive.length > 0);
          const untilUs = lookup.sameUntil(us);
          for (const later of moments.filter((other) => other > us && other < untilUs)) {
            expect(lookup.at(later)).toEqual(naive);
          }
        }
      }),
    );
  });

  it('the first span that a stretch of time meets', () => {
    fc.assert(
      fc.property(spans, moment, moment, (all, sinceUs, untilUs) => {
        const naive = all.findIndex(({ fromUs, toUs }) => untilUs >= fromUs && sinceUs < toUs);
        expect(new FirstSpanMet(all).indexOf(sinceUs, untilUs)).toBe(naive);
      }),
    );
  });

  it('the last moment that has been reached', () => {
    fc.assert(
      fc.property(asked, moment, (moments, us) => {
        expect(new LastReached(moments).indexAt(us)).toBe(moments.findLastIndex((at) => us >= at));
      }),
    );
  });

  it('the order of values, equal ones as they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 })), (values) => {
        const sorted = values.map((value, place) => ({ value, place })).sort((a, b) => a.value - b.value);
        expect([...risingOrder(Float64Array.from(values))]).toEqual(sorted.map(({ place }) => place));
      }),
    );
  });
});
