import { expect, it } from 'vitest';
import { powerOf } from './power.ts';

it('tells which window a run would have met, and what a claim takes', () => {
  // 3 / (200 a second × 150 restarts) = 0.1 ms, HAProxy's window.
  expect(powerOf(150, 200).smallestWindowMs).toBeCloseTo(0.1, 3);
  expect(powerOf(0, 200).smallestWindowMs).toBeNull();
  // 0.99^299 < 5 % ≤ 0.99^298.
  expect(powerOf(8, 200)).toMatchObject({ restartsFor99Percent: 299, restartsFor999Permille: 2_995 });
});
