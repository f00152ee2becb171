import { describe, expect, it } from 'vitest';
import { verdictOfTest, writes } from '../verdict/testing.ts';
import { checkBudget } from './budget-check.ts';
import { budget } from './testing.ts';

describe('a budget', () => {
  it.each([
    ['max, met', budget('dropped', { max: 5 }), { dropped: 5 }, 'met'],
    ['max, missed', budget('dropped', { max: 5 }), { dropped: 6 }, 'missed'],
    ['min, missed', budget('dropped', { min: 5 }), { dropped: 4 }, 'missed'],
    ['all, met', budget('badRestarts', { all: true }), { restarts: 4, badRestarts: 4 }, 'met'],
    ['all, missed', budget('badRestarts', { all: true }), { restarts: 4, badRestarts: 3 }, 'missed'],
    ['all of no restart', budget('badRestarts', { all: true }), { restarts: 0, badRestarts: 0 }, 'missed'],
    ['lost writes', budget('lost', { max: 0 }), { writes: { ...writes, lost: 1 } }, 'missed'],
    ['what was not measured', budget('lost', { max: 0 }), { writes: null }, 'missed'],
    ['wait in the window', budget('longestWaitMs', { abovePercentOfOutage: 30 }), { longestWaitMs: 910 }, 'met'],
    ['wait beyond it', budget('longestWaitMs', { abovePercentOfOutage: 30 }), { longestWaitMs: 911 }, 'missed'],
    [
      'a window that was not seen',
      budget('longestWaitMs', { abovePercentOfOutage: 30 }),
      { longestOutageMs: null },
      'missed',
    ],
    [
      'an overflow',
      budget('listenOverflows', { max: 0 }),
      { witnesses: { proxy: null, kernel: { 'TcpExt.ListenOverflows': 3 } } },
      'missed',
    ],
    ['counters that this kernel has not', budget('listenOverflows', { max: 0 }), {}, 'missed'],
  ])('%s', (_, limits, over, outcome) => {
    expect(checkBudget(limits, verdictOfTest(over)).outcome).toBe(outcome);
  });

  it.each([
    [69, 'missed'],
    [70, 'met'],
    [260, 'met'],
    [261, 'missed'],
  ])('by prediction has two sides: %d of 100 to 200, give or take 30 %%, is %s', (dropped, outcome) => {
    const predicted = { dropped: 150, range: [100, 200] as [number, number], formula: '', differencePercent: null };
    const check = checkBudget(
      budget('dropped', { withinPercentOfPrediction: 30 }),
      verdictOfTest({ dropped, predicted }),
    );
    expect(check).toMatchObject({ outcome, allowed: '70 to 260 (predicted 100 to 200, ± 30 %)' });
  });
});
