import { expect, it } from 'vitest';
import { verdictOfTest, writes } from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { checkBudget } from './budget-check.ts';
import type { Budget } from './files/budgets.ts';
import { budget } from './testing.ts';

const outage = budget('longestWaitMs', { abovePercentOfOutage: 30 });
const overflows = budget('listenOverflows', { max: 0 });
const every = budget('badRestarts', { all: true });

it.each<[string, Budget, Partial<Verdict>, 'met' | 'missed']>([
  ['max, met', budget('dropped', { max: 5 }), { dropped: 5 }, 'met'],
  ['max, missed', budget('dropped', { max: 5 }), { dropped: 6 }, 'missed'],
  ['min, missed', budget('dropped', { min: 5 }), { dropped: 4 }, 'missed'],
  ['every restart, met', every, { restarts: 4, badRestarts: 4 }, 'met'],
  ['every restart, missed', every, { restarts: 4, badRestarts: 3 }, 'missed'],
  ['every restart of none', every, { restarts: 0, badRestarts: 0 }, 'missed'],
  ['lost writes', budget('lost', { max: 0 }), { writes: { ...writes, lost: 1 } }, 'missed'],
  ['what was not measured', budget('lost', { max: 0 }), { writes: null }, 'missed'],
  ['a wait in the window', outage, { longestWaitMs: 910 }, 'met'],
  ['a wait beyond it', outage, { longestWaitMs: 911 }, 'missed'],
  ['a window that was not seen', outage, { longestOutageMs: null }, 'missed'],
  ['an overflow', overflows, { witnesses: { proxy: null, kernel: { 'TcpExt.ListenOverflows': 3 } } }, 'missed'],
  ['counters that this kernel has not', overflows, {}, 'missed'],
  ['the narrowest of several limits', budget('dropped', { max: 5, min: 5 }), { dropped: 4 }, 'missed'],
])('a budget: %s', (_, limits, over, outcome) => {
  expect(checkBudget(limits, verdictOfTest(over)).outcome).toBe(outcome);
});

it.each([
  [69, 'missed'],
  [70, 'met'],
  [260, 'met'],
  [261, 'missed'],
])('a budget by prediction has two sides: %d of 100 to 200, give or take 30 %%, is %s', (dropped, outcome) => {
  const predicted = { dropped: 150, range: [100, 200] as [number, number], formula: '', differencePercent: null };
  const limits = budget('dropped', { withinPercentOfPrediction: 30 });
  const check = checkBudget(limits, verdictOfTest({ dropped, predicted }));
  expect(check).toMatchObject({ outcome, allowed: '70 to 260 (predicted 100 to 200, ± 30 %)' });
});
