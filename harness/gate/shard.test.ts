import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dealOut, parseShard } from './shard.ts';

const weighed = fc
  .array(fc.integer({ min: 1, max: 100 }), { maxLength: 12 })
  .map((all) => all.map((ms, index) => ({ name: `E${index}`, ms })));

describe('dealing entries out', () => {
  it('gives each entry to exactly one part, in the order of the file', () => {
    fc.assert(
      fc.property(weighed, fc.integer({ min: 1, max: 6 }), (entries, parts) => {
        const dealt = dealOut(entries, parts);
        expect(dealt).toHaveLength(parts);
        expect(dealt.flat().sort()).toEqual(entries.map(({ name }) => name).sort());
        for (const part of dealt) {
          const places = part.map((name) => entries.findIndex((entry) => entry.name === name));
          expect(places).toEqual([...places].sort((a, b) => a - b));
        }
        expect(dealOut(entries, parts)).toEqual(dealt);
      }),
    );
  });

  it('keeps the longest part below the mean and the longest entry', () => {
    fc.assert(
      fc.property(weighed, fc.integer({ min: 1, max: 6 }), (entries, parts) => {
        const of = (names: readonly string[]): number =>
          entries.filter(({ name }) => names.includes(name)).reduce((sum, { ms }) => sum + ms, 0);
        const all = of(entries.map(({ name }) => name));
        const longest = Math.max(0, ...entries.map(({ ms }) => ms));
        expect(Math.max(...dealOut(entries, parts).map(of))).toBeLessThanOrEqual(all / parts + longest);
      }),
    );
  });
});

describe('--shard', () => {
  it('takes a part of a whole', () => {
    expect(parseShard('2/4')).toEqual({ index: 2, of: 4 });
  });

  it('takes its part from the scheduler, which counts from 1 or from 0', () => {
    expect(parseShard('auto', { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '4' })).toEqual({ index: 2, of: 4 });
    expect(parseShard('auto', { JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '3' })).toEqual({ index: 1, of: 3 });
    expect(() => parseShard('auto', {})).toThrow(/finds no scheduler/u);
    expect(() => parseShard('auto', { CI_NODE_INDEX: '2' })).toThrow(/not "2\/undefined"/u);
  });

  it.each(['0/4', '5/4', '1', '1/0', 'a/b', '1/4/2', ''])('refuses %j', (text) => {
    expect(() => parseShard(text)).toThrow(/--shard takes a part such as 1\/4/u);
  });
});
