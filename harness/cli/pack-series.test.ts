import { expect, it } from 'vitest';
import { verdictOfTest } from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { controlsOf } from './pack-series.ts';

/** A run with one control. */
function besides(name: string, runId: string): Verdict {
  const control = { role: 'C+', name, because: '', runId, verdict: 'pass', dropped: 1, due: 2 } as const;
  const counts = { badRestarts: 1, restarts: 1, ledger: '0'.repeat(64), holds: true };
  return verdictOfTest({ runId: 'the-run', controls: [{ ...control, ...counts }] });
}

it('the controls of a series are packed once each, but for those that are of the series', () => {
  const verdicts = [besides('E5 own-port', 'a'), besides('E5 own-port', 'a'), besides('E0', 'the-run')];
  expect([...controlsOf(verdicts)]).toEqual([['a', 'E5 own-port']]);
});

it.each([
  ['../../x', 'a'],
  ['E5 ../x', 'a'],
  ['/etc', 'a'],
  ['E5', '../a'],
  ['E5', ''],
])('a control with a name that leads out is refused: %s@%s', (name, runId) => {
  expect(() => controlsOf([besides(name, runId)])).toThrow(/names a control that is none/u);
});
