import { expect, it } from 'vitest';
import { present } from './present.ts';
import { greatestOf, sumOf, toMs } from './sums.ts';

it('figures that are not known count for nothing, and stay unknown where none is known', () => {
  expect([greatestOf([null, -2, -1]), greatestOf([null]), greatestOf([])]).toEqual([-1, null, null]);
  expect([sumOf([{ n: 1 }, { n: 2 }], ({ n }) => n), sumOf([], () => 1)]).toEqual([3, 0]);
  expect([toMs(1_234.56), toMs(null)]).toEqual([1.235, null]);
});

it('parts that do not hold are left out; a zero is none of them', () => {
  expect(present([0, false, null, undefined, 'a', ''])).toEqual([0, 'a']);
});
