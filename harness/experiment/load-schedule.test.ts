import { describe, expect, it } from 'vitest';
import { assignments, dueUsOf, shareOut, slotCount } from './load-schedule.ts';

const mix = [
  { method: 'GET', path: '/notes/:id', weight: 45 },
  { method: 'GET', path: '/slow?ms=300', weight: 5 },
  { method: 'POST', path: '/notes', weight: 50 },
] as const;

function firstSlots(seed: number, connections: 'kept' | 'new' | 'mixed', count: number): string[] {
  const assignmentOf = assignments(mix, connections, seed);
  return Array.from({ length: count }, (_, seq) => {
    const { entry, connection } = assignmentOf(seq);
    return `${entry.method} ${entry.path} ${connection}`;
  });
}

describe('the load’s mix', () => {
  it('is the same again for the same seed, and another for another', () => {
    expect(firstSlots(7, 'mixed', 400)).toEqual(firstSlots(7, 'mixed', 400));
    expect(firstSlots(7, 'mixed', 400)).not.toEqual(firstSlots(8, 'mixed', 400));
  });

  it('is exact in every block of 100 slots: half POST, half kept, each kind of request on both', () => {
    const slots = firstSlots(1, 'mixed', 300);
    for (const from of [0, 100, 200]) {
      const block = slots.slice(from, from + 100);
      expect(block.filter((slot) => slot.startsWith('POST'))).toHaveLength(50);
      expect(block.filter((slot) => slot.endsWith('kept'))).toHaveLength(50);
      expect(block.filter((slot) => slot === 'POST /notes kept')).toHaveLength(25);
      expect(block.filter((slot) => slot.startsWith('GET /slow')).length).toBeGreaterThanOrEqual(4);
    }
  });

  it('uses one kind of connection only where one is asked for', () => {
    expect(firstSlots(1, 'new', 100).every((slot) => slot.endsWith('new'))).toBe(true);
  });

  it('shares slots out by weight, the largest remainder first', () => {
    const shared = shareOut(
      [
        { ...mix[0], weight: 2 },
        { ...mix[2], weight: 1 },
      ],
      100,
    );
    expect(shared.filter(({ method }) => method === 'GET')).toHaveLength(67);
    expect(shared).toHaveLength(100);
  });
});

describe('the load’s slots', () => {
  it('are exactly rate × seconds, with no fence post', () => {
    expect(slotCount(200, 20_000)).toBe(4_000);
    expect(slotCount(1, 1_000)).toBe(1);
    expect(slotCount(80, 0)).toBe(0);
  });

  it('are evenly spaced from the origin on', () => {
    expect([0, 1, 2, 3].map((seq) => dueUsOf(seq, 3))).toEqual([0, 333_333, 666_667, 1_000_000]);
  });
});
