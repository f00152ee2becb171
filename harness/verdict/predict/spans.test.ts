import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SpanSet } from './spans.ts';

const moment = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(Infinity, -Infinity));
const spans = fc.array(fc.record({ fromUs: moment, toUs: moment }), { maxLength: 12 });

it('a set of spans tells what looking through all of them tells', () => {
  fc.assert(
    fc.property(spans, fc.array(moment, { maxLength: 40 }), (all, moments) => {
      const set = new SpanSet(all);
      const holds = (us: number): boolean => all.some(({ fromUs, toUs }) => us >= fromUs && us < toUs);
      for (const us of moments) {
        expect(set.holds(us)).toBe(holds(us));
        const untilUs = set.sameUntil(us);
        for (const later of moments.filter((other) => other > us && other < untilUs)) {
          expect(set.holds(later)).toBe(holds(us));
        }
        if (Number.isFinite(untilUs)) expect(set.holds(untilUs)).toBe(!holds(us));
      }
    }),
  );
});
