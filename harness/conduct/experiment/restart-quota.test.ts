import { expect, it } from 'vitest';
import { RestartQuota } from './restart-quota.ts';

const beginsMs = [1_000, 3_000, 5_000, 7_000, 9_000, 11_000];
const schedule = { beginsMs, wanted: 5, durationMs: (used: number) => (beginsMs[used - 1] ?? 0) + 3_000 };

/** As if so many restarts had begun, each so much later than planned, and were over. */
function after(restarts: number, slipMs = 0): RestartQuota {
  const spares = new RestartQuota(schedule);
  another(spares, beginsMs.slice(0, restarts), slipMs);
  return spares;
}

function another(spares: RestartQuota, plannedMs: readonly number[], slipMs = 0): void {
  for (const beginMs of plannedMs) {
    spares.began(beginMs + slipMs);
    spares.rested();
  }
}

it('lets a load whose requests left on time end after the restarts that were wanted', () => {
  const spares = after(5);
  expect(spares.decide(10_999_999, [])).toBeNull();
  expect(spares.decide(11_000_000, [])).toBe('enough');
  expect(spares.decide(11_250_000, [])).toBeNull();
  expect(spares.used).toBe(5);
  expect(spares.durationMs).toBe(12_000);
});

it('makes up for a voided restart by another, and then ends', () => {
  const spares = after(5);
  expect(spares.decide(11_000_000, [3_200_000, 3_400_000])).toBe('another');
  expect(spares.used).toBe(6);
  expect(spares.decide(11_250_000, [3_200_000, 3_400_000])).toBeNull();
  another(spares, [11_000]);
  expect(spares.decide(13_000_000, [3_200_000, 3_400_000])).toBe('enough');
});

it('does not ask for more than there are, nor for a request that was late before any restart', () => {
  const spares = after(5);
  expect(spares.decide(11_000_000, [3_200_000, 5_200_000])).toBe('another');
  another(spares, [11_000]);
  expect(spares.decide(13_000_000, [3_200_000, 5_200_000])).toBe('enough');
  expect(after(5).decide(11_000_000, [500_000])).toBe('enough');
});

it('goes on for as long as restarts that began late need, and voids those that late requests met in truth', () => {
  const spares = after(5, 4_000);
  expect(spares.durationMs).toBe(16_000);
  expect(spares.decide(14_999_999, [])).toBeNull();
  // Due at 6 s: planned, that was the third; in truth the first, at 5 s, was under way.
  expect(spares.decide(15_000_000, [6_000_000, 6_900_000])).toBe('another');
  expect(spares.durationMs).toBe(18_000);
});

it('does not end while the last restart has not begun, or is not over; but not for ever', () => {
  const spares = after(4);
  expect(spares.decide(11_500_000, [])).toBeNull();
  spares.began(11_600);
  expect(spares.durationMs).toBe(14_600);
  expect(spares.decide(14_700_000, [])).toBeNull();
  spares.rested();
  // The end lies ahead of the moment at which it is decided.
  expect(spares.decide(14_950_000, [])).toBe('enough');
  expect(spares.durationMs).toBe(15_950);
  const stuck = after(4);
  expect(stuck.decide(41_999_000, [])).toBeNull();
  expect(stuck.decide(42_000_000, [])).toBe('enough');
});

it('ends a load without restarts when its time is over', () => {
  const none = new RestartQuota({ beginsMs: [], wanted: 0, durationMs: () => 15_000 });
  expect(none.decide(13_900_000, [])).toBeNull();
  expect(none.decide(14_000_000, [])).toBe('enough');
  expect(none.durationMs).toBe(15_000);
});
