import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdSet } from './id-set.ts';
import { numberAfter, plainNumberAfter } from './request-id.ts';

const suffix = fc.oneof(
  fc.nat({ max: 3_000 }).map(String),
  fc.constantFrom('', '007', '1e3', '12x', ' 5', '-1', '0', '00', '67108864', '99999999999', '0x10', '1.0', 'p3'),
);
const prefix = 'run-1-';
const id = fc.oneof(
  suffix,
  suffix.map((text) => `${prefix}${text}`),
  // Of another load, and with its number in the same place.
  suffix.map((text) => `run-2-${text}`),
);

describe('ids', () => {
  it('are a set, in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(id), fc.array(id), (added, taken) => {
        const ids = new IdSet(prefix);
        const naive = new Set(added);
        for (const [index, one] of added.entries()) expect(ids.add(one)).toBe(added.indexOf(one) === index);
        for (const one of taken) {
          expect(ids.take(one)).toBe(added.includes(one));
          naive.delete(one);
        }
        expect(ids.left).toBe(naive.size);
        expect(ids.firstLeft(5)).toEqual([...naive].slice(0, 5));
      }),
    );
  });

  it('are kept at the border of the room that there is, and beyond', () => {
    for (const number of [1_023, 1_024, 1_025, 5_000, 2 ** 26 - 1, 2 ** 26]) {
      const ids = new IdSet(prefix);
      ids.add(`${prefix}${number}`);
      expect(ids.take(`${prefix}${number}`)).toBe(true);
      expect(ids.take(`${prefix}${number - 1}`)).toBe(false);
      expect(ids.left).toBe(0);
    }
  });

  it('hold the number that Number reads from them', () => {
    fc.assert(
      fc.property(suffix, (text) => {
        expect(numberAfter(`${prefix}${text}`, prefix.length)).toBe(Number(text));
        const plain = plainNumberAfter(`${prefix}${text}`, prefix.length);
        expect(plain).toBe(/^(0|[1-9]\d{0,8})$/u.test(text) ? Number(text) : -1);
      }),
    );
  });
});
