import { expect, it } from 'vitest';
import { SpareRestarts } from './spare-restarts.ts';

const beginsMs = [1_000, 3_000, 5_000, 7_000, 9_000, 11_000];
const schedule = { beginsMs, wanted: 5, durationMs: (used: number) => (beginsMs[used - 1] ?? 0) + 3_000 };

it('lets a load whose requests left on time end after the restarts that were wanted', () => {
  const spares = new SpareRestarts(schedule);
  expect(spares.decide(10_999_999, [])).toBeNull();
  expect(spares.decide(11_000_000, [])).toBe('enough');
  expect(spares.decide(11_250_000, [])).toBeNull();
  expect(spares.used).toBe(5);
});

it('makes up for a voided restart by another, and then ends', () => {
  const spares = new SpareRestarts(schedule);
  expect(spares.decide(11_000_000, [3_200_000, 3_400_000])).toBe('another');
  expect(spares.used).toBe(6);
  expect(spares.decide(11_250_000, [3_200_000, 3_400_000])).toBeNull();
  expect(spares.decide(13_000_000, [3_200_000, 3_400_000])).toBe('enough');
});

it('does not ask for more than there are, nor for a request that was late before any restart', () => {
  const spares = new SpareRestarts(schedule);
  expect(spares.decide(11_000_000, [3_200_000, 5_200_000])).toBe('another');
  expect(spares.decide(13_000_000, [3_200_000, 5_200_000])).toBe('enough');
  expect(new SpareRestarts(schedule).decide(11_000_000, [500_000])).toBe('enough');
});
