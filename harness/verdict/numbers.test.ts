import { describe, expect, it } from 'vitest';
import { Numbers } from './numbers.ts';

/** More than it has room for at first, several times over, and in no order. */
const many = Array.from({ length: 10_000 }, (_, index) => (index * 7_919) % 10_007);

function numbersOf(values: readonly number[]): Numbers {
  const numbers = new Numbers();
  for (const value of values) numbers.push(value);
  return numbers;
}

describe('numbers that come one by one', () => {
  it('are all kept, in the order in which they came, however many they are', () => {
    for (const count of [0, 1, 1_023, 1_024, 1_025, 2_048, 2_049, 10_000]) {
      const numbers = numbersOf(many.slice(0, count));
      expect(numbers.length).toBe(count);
      expect([...numbers.all()]).toEqual(many.slice(0, count));
    }
  });

  it('are all kept where fewer were expected, or none', () => {
    for (const expected of [0, 1, 7, 10_000]) {
      const numbers = new Numbers(expected);
      for (const value of many) numbers.push(value);
      expect([...numbers.all()]).toEqual(many);
    }
  });

  it('are exact: a wall clock in microseconds loses nothing', () => {
    expect([...numbersOf([1_763_985_600_000_001.5, -1, Infinity]).all()]).toEqual([
      1_763_985_600_000_001.5,
      -1,
      Infinity,
    ]);
  });

  it('are sorted as numbers', () => {
    expect([...numbersOf(many).sorted()]).toEqual([...many].sort((a, b) => a - b));
  });
});
