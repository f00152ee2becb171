import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

describe('the edits between two words', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['warmupMs', 'warmUpMs', 1],
    ['rate', 'rtae', 1],
    ['kitten', 'sitting', 3],
  ])('%s → %s: %i', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
  });

  it('are the same both ways, none only for the same word, and at most the longer one’s letters', () => {
    const word = fc.string({ unit: 'grapheme-ascii', maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const edits = editDistance(a, b);
        expect(edits).toBe(editDistance(b, a));
        expect(edits === 0).toBe(a === b);
        expect(edits).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(edits).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('the nearest name', () => {
  it('is found with a slip or two, in any case', () => {
    expect(nearest('slow-strat', ['slow-start', 'as-seeded'])).toBe('slow-start');
    expect(nearest('AS_SEEDED', ['slow-start', 'as-seeded'])).toBe('as-seeded');
    expect(nearest('app.warmUpMs', ['app.warmupMs', 'app.graceMs'])).toBe('app.warmupMs');
  });

  it('is not made up where none is near, or several are as near', () => {
    expect(nearest('nonsense', ['slow-start', 'as-seeded'])).toBeUndefined();
    expect(nearest('E9', ['E0', 'E1', 'E2'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
