import { describe, expect, it } from 'vitest';
import { controlsSchema, judgeControls, type Control } from './controls.ts';
import { verdictOfTest } from './testing.ts';
import type { Verdict } from './verdict.ts';

const control = (role: Control['role'], over: Partial<Verdict>): Control => ({
  role,
  name: 'E0',
  because: 'without it nothing is known',
  verdict: verdictOfTest(over),
});

const holds = (role: Control['role'], verdict: Verdict['verdict'], dropped: number): boolean | undefined =>
  judgeControls([control(role, { verdict, dropped })])[0]?.holds;

describe('a control', () => {
  it.each([
    ['pass', 0, true],
    ['pass', 1, false],
    ['fail', 0, false],
    ['fail', 1, false],
    ['inconclusive', 0, false],
    ['aborted', 0, false],
  ] as const)('without a restart (C0) must pass and drop nothing: %s, %i dropped', (verdict, dropped, isHeld) => {
    expect(holds('C0', verdict, dropped)).toBe(isHeld);
  });

  it.each([
    ['pass', 1, true],
    ['fail', 1, true],
    ['pass', 0, false],
    ['fail', 0, false],
    ['inconclusive', 70, false],
    ['aborted', 70, false],
  ] as const)(
    'without the mechanism (C+) must drop, in a run to be trusted: %s, %i dropped',
    (verdict, dropped, isHeld) => {
      expect(holds('C+', verdict, dropped)).toBe(isHeld);
    },
  );

  it('is shown with its own run’s figures', () => {
    const given = control('C+', { runId: 'r', verdict: 'fail', dropped: 5, due: 300, badRestarts: 2, restarts: 8 });
    expect(judgeControls([given])).toEqual([
      {
        role: 'C+',
        name: 'E0',
        because: 'without it nothing is known',
        runId: 'r',
        verdict: 'fail',
        dropped: 5,
        due: 300,
        badRestarts: 2,
        restarts: 8,
        ledger: 'f'.repeat(64),
        holds: true,
      },
    ]);
    expect(judgeControls([])).toEqual([]);
  });

  it('is read strictly: a verdict that is none, or a role of another name, is an error', () => {
    const calibration = { seriesId: 's', cases: 20, wrong: [] };
    const c0 = control('C0', {});
    const reads = (content: unknown): boolean => controlsSchema.safeParse(content).success;
    expect(reads({ calibration, controls: [c0, control('C+', {})] })).toBe(true);
    expect(reads({ calibration, controls: [{ ...c0, role: 'C1' }] })).toBe(false);
    expect(reads({ calibration, controls: [{ ...c0, verdict: {} }] })).toBe(false);
    expect(reads({ calibration, controls: [{ ...c0, more: 1 }] })).toBe(false);
    expect(reads({ controls: [c0] })).toBe(false);
    expect(reads({ calibration, controls: [c0], more: 1 })).toBe(false);
  });
});
