import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['0', 0],
  ['0s', 0],
  ['50ms', 50],
  ['5s', 5000],
  ['1.5s', 1500],
  ['.5s', 500],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['1500us', 1.5],
  ['1500µs', 1.5],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 9);
});

test.each([
  ['', 'is not a duration'],
  ['5', 'a unit is missing'],
  ['-5s', 'is not a duration'],
  ['5 s', 'is not a duration'],
  ['5sec', 'is not a duration'],
  ['.s', 'is not a duration'],
  ['1e3ms', 'is not a duration'],
  ['597h', 'too long'],
])('%j is refused: %s', (text, why) => {
  expect(() => parseDuration(text)).toThrow(why);
});

test('any sum of parts is the sum of their milliseconds', () => {
  const unitMs = { ms: 1, s: 1000, m: 60_000 };
  const part = fc.record({ amount: fc.nat(999), unit: fc.constantFrom(...(['ms', 's', 'm'] as const)) });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.map(({ amount, unit }) => `${amount}${unit}`).join('');
      expect(parseDuration(text)).toBe(parts.reduce((sum, { amount, unit }) => sum + amount * unitMs[unit], 0));
    }),
  );
});
