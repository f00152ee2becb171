import { describe, expect, it } from 'vitest';
import { serviceRecord } from '../verdict/testing.ts';
import { compareDeploys, leastTold, type Deploy } from './compare-deploys.ts';
import { verdictThatDropped } from './testing.ts';

/** A deploy of as many measurements as there are lists, each of what its restarts dropped. */
function deploy(name: string, ...measurements: number[][]): Deploy {
  const runs = measurements.map((counts) => ({ run: serviceRecord(), verdict: verdictThatDropped(counts) }));
  return { name, runs };
}

const times = (count: number, drops: number): number[] => Array<number>(count).fill(drops);

describe('two deploys side by side', () => {
  it('tells the one that drops less, by bad restarts and by drops', () => {
    const comparison = compareDeploys(
      deploy('killed', times(5, 6), times(5, 7)),
      deploy('polite', times(5, 0), [0, 0, 0, 1, 0]),
    );
    expect(comparison).toMatchObject({
      less: 'b',
      a: { restarts: 10, badRestarts: 10, dropped: 65 },
      b: { restarts: 10, badRestarts: 1, dropped: 1 },
    });
    // 10 of 10 against 1 of 10: (10 · 1) / C(20, 11) on this side, and as much on the other but for what is less likely.
    expect(comparison.tests.badRestartsP).toBeCloseTo(1.19e-4, 5);
    // All ten sums of the one are above those of the other: 2 / C(20, 10).
    expect(comparison.tests.droppedPerRestartP).toBeCloseTo(2 / 184_756, 9);
    expect(comparison.sentence).toBe(
      'polite drops less: killed dropped something in 10 of 10 restarts (65 requests), polite dropped something in 1 of 10 ' +
        'restarts (1 request).',
    );
  });

  it('tells none of two that drop alike, and how many restarts would tell shares such as these', () => {
    const comparison = compareDeploys(deploy('a', [0, 0, 0, 0, 1]), deploy('b', [0, 0, 0, 0, 0]));
    expect(comparison.less).toBe('neither');
    const all = Number(/about (\d+) of each would tell/u.exec(comparison.sentence)?.[1]);
    const of = (drops: number[]) => deploy('x', [...drops, ...times(all - drops.length, 0)]);
    expect(compareDeploys(of(times(Math.round(all / 5), 1)), of([])).less).not.toBe('neither');
  });

  it('says so where one has fewer bad restarts, and the other fewer drops', () => {
    const hard = deploy('hard', [...times(10, 0), ...times(10, 90)]);
    expect(compareDeploys(deploy('often', times(20, 1)), hard).less).toBe('mixed');
  });

  it('adds up no measurement that cannot be trusted', () => {
    const [run] = deploy('a', times(9, 9)).runs;
    if (run === undefined) throw new Error('no run');
    const late = { ...run, verdict: { ...run.verdict, verdict: 'inconclusive' as const, reasons: ['Late.'] } };
    const a = { name: 'a', runs: [...deploy('a', times(9, 0)).runs, late] };
    const comparison = compareDeploys(a, deploy('b', times(9, 0)));
    expect(comparison).toMatchObject({ less: 'none', a: { leftOut: 1, restarts: 9, dropped: 0 } });
    expect(comparison.a.leftOutBecause).toEqual([expect.stringContaining('is inconclusive: Late.')]);
    expect(compareDeploys({ name: 'a', runs: [late] }, deploy('b', [0])).less).toBe('none');
  });

  it('says nothing by those that are left where late ones were clean', () => {
    const bad = deploy('a', times(9, 9)).runs;
    const clean = deploy('a', times(9, 0)).runs.map((run) => ({
      ...run,
      verdict: { ...run.verdict, perRestart: run.verdict.perRestart.map((one) => ({ ...one, voided: true })) },
    }));
    const late = clean.map((run) => ({ ...run, verdict: { ...run.verdict, verdict: 'inconclusive' as const } }));
    const of = (runs: Deploy['runs']) =>
      compareDeploys({ name: 'a', runs: [...bad, ...runs] }, deploy('b', times(9, 0)));
    expect(of([]).less).toBe('b');
    const told = [of(late), of(clean)];
    expect(told.map(({ less }) => less)).toEqual(['none', 'none']);
    expect(told[0]?.sentence).toMatch(/^Nothing is told: 1 of 3 measurements cannot be trusted, so that/u);
    expect(told[1]?.sentence).toMatch(/^Nothing is told: of 27 restarts 9 met a load that was not on time, so that/u);
  });

  it('names the settings that differ beside the command', () => {
    const one = deploy('a', [0]);
    const { verdict } = one.runs[0] ?? { verdict: verdictThatDropped([0]) };
    const other = { name: 'b', runs: [{ run: serviceRecord({ whileCommand: 'other', ratePerSecond: 200 }), verdict }] };
    expect(compareDeploys(one, other).alsoDiffers).toEqual([{ name: 'ratePerSecond', a: '100', b: '200' }]);
  });
});

it('as few bad restarts are told from none as Fisher’s test allows', () => {
  // C(4, 4) · 2 / C(8, 4) = 2 / 70 is not below 0.025; of five, 2 / C(10, 5) = 2 / 252 is.
  expect([4, 5, 20].map(leastTold)).toEqual([null, 5, 6]);
});
