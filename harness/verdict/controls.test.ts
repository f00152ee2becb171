import { describe, expect, it } from 'vitest';
import e0 from '../../experiments/E0-control.ts';
import e1 from '../../experiments/E1-no-drain.ts';
import e2 from '../../experiments/E2-drain-only.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import type { ExperimentFile } from '../experiment/experiment.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { controlDoubts, controlsSchema, controlText, judgeControls, type Control } from './controls.ts';
import { runRecord, verdictOfTest } from './testing.ts';
import { calibration, controlsOf } from './testing-folder.ts';
import type { Verdict } from './record/verdict.ts';

const control = (role: Control['role'], over: Partial<Verdict>): Control => ({
  role,
  name: 'E0',
  because: 'without it nothing is known',
  verdict: verdictOfTest(over),
});

describe('a control', () => {
  // Without a restart (C0) it must pass and drop nothing; without the mechanism (C+) drop, in a run to be trusted.
  it.each([
    ['C0', 'pass', 0, 'came out as it must'],
    ['C0', 'pass', 1, 'dropped 1 of 300, and must drop nothing'],
    ['C0', 'fail', 3, 'dropped 3 of 300, and must drop nothing'],
    ['C0', 'fail', 0, 'failed, and must pass'],
    ['C0', 'inconclusive', 0, 'is inconclusive, and says nothing'],
    ['C0', 'aborted', 0, 'is cut short, and says nothing'],
    ['C+', 'pass', 1, 'came out as it must'],
    ['C+', 'fail', 9, 'came out as it must'],
    ['C+', 'pass', 0, 'dropped nothing of 300, and must drop something'],
    ['C+', 'fail', 0, 'dropped nothing of 300, and must drop something'],
    ['C+', 'inconclusive', 900, 'is inconclusive, and says nothing'],
    ['C+', 'aborted', 70, 'is cut short, and says nothing'],
  ] as const)('%s that came to %s with %i drops is told as what it is', (role, verdict, dropped, text) => {
    const [judged] = judgeControls([control(role, { verdict, dropped, due: 300 })]);
    expect(judged).toMatchObject({ holds: text === 'came out as it must' });
    expect(judged && controlText(judged)).toBe(text);
  });

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

describe('the controls of a run', () => {
  const doubtsOf = (
    file: ExperimentFile,
    controls: readonly Control[],
    { variant = null as string | null, aborted = null as string | null, cases = 20 } = {},
  ): string[] => {
    const run = runRecord(resolveExperiment(file, { variant: variant ?? undefined, changes: [] }), {
      variant,
      aborted,
    });
    return controlDoubts(run, { controls, calibration: { ...calibration, cases } });
  };
  const [c0, cPlus] = controlsOf(e5, null) as [Control, Control];
  const spoilt = (one: Control, over: Partial<Verdict>): Control => ({ ...one, verdict: { ...one.verdict, ...over } });

  it.each([
    ['E0', e0, null],
    ['E1', e1, null],
    ['E1 direct', e1, 'direct'],
    ['E2', e2, null],
    ['E5', e5, null],
    ['E5 with its mechanism off', e5, 'own-port'],
  ] as const)('are those that %s needs', (_, file, variant) => {
    expect(doubtsOf(file, controlsOf(file, variant), { variant })).toEqual([]);
  });

  it.each<[string, Control[], string]>([
    ['none', [], 'has the controls none; a run of this experiment is made beside C0, C+.'],
    ['C0 alone', [c0], 'has the controls C0; a run of this experiment is made beside C0, C+.'],
    ['C0 twice', [c0, c0], 'has the controls C0, C0; a run'],
    ['one too many', [c0, cPlus, cPlus], 'has the controls C0, C+, C+; a run'],
    ['a C0 of another experiment', [spoilt(c0, { experiment: 'E5' }), cPlus], 'C0 (E0) is a run of E5.'],
    [
      'a C0 that is named after another',
      [{ ...c0, name: 'E5 own-port', verdict: cPlus.verdict }, cPlus],
      'is no such control of E5.',
    ],
    [
      'the C+ of another experiment',
      [c0, { ...cPlus, name: 'E6 x', verdict: { ...cPlus.verdict, experiment: 'E6', variant: 'x' } }],
      'C+ (E6 x) is no such control of E5.',
    ],
    [
      'itself as C+',
      [c0, { ...cPlus, name: 'E5', verdict: { ...cPlus.verdict, variant: null } }],
      'C+ (E5) is no such control of E5.',
    ],
    [
      'more dropped than due',
      [c0, spoilt(cPlus, { dropped: 9_999 })],
      'C+ (E5 own-port) has outcomes that do not add up to 9999 of 300 dropped.',
    ],
    [
      'a drop among its outcomes',
      [spoilt(c0, { outcomes: { ok: 299, reset: 1 } }), cPlus],
      'C0 (E0) has outcomes that do not add up to 0 of 300 dropped.',
    ],
    [
      'fewer due than came out',
      [spoilt(c0, { due: 1 }), cPlus],
      'C0 (E0) has outcomes that do not add up to 0 of 1 dropped.',
    ],
  ])('are not: %s', (_, controls, sentence) => {
    expect(doubtsOf(e5, controls).join('\n')).toContain(sentence);
    expect(doubtsOf(e5, controls, { aborted: 'It was cut short.' })).toEqual([]);
  });

  it('run at the rate of the run', () => {
    const faster = { ...c0.verdict.schedule, ratePerSecond: 500 };
    expect(doubtsOf(e5, [spoilt(c0, { schedule: faster }), cPlus])).toEqual([
      'witnesses/controls.json: C0 (E0) ran at 500 requests a second, and this run at 100.',
    ]);
  });

  it('of E0 are none, and of E1 C0 alone', () => {
    expect(doubtsOf(e0, [c0])[0]).toContain('is made beside none.');
    expect(doubtsOf(e0, [c0], { variant: 'keep-alive-race' })).toEqual([]);
    expect(doubtsOf(e0, [], { variant: 'keep-alive-race' })[0]).toContain('is made beside C0.');
    expect(doubtsOf(e1, [c0, ...controlsOf(e2, null).slice(1)])[0]).toContain('is made beside C0.');
    expect(doubtsOf(e5, [], { variant: 'own-port' })[0]).toContain('is made beside C0, C+ or C0.');
  });

  it('stand beside a calibration of some cases', () => {
    expect(doubtsOf(e5, [c0, cPlus], { cases: 0 })).toEqual([
      'witnesses/controls.json has a calibration of 0 cases: nothing was held against the instrument.',
    ]);
  });

  it('may be left out, and the calibration too', () => {
    expect(
      controlDoubts(runRecord(resolveExperiment(e0, { changes: [] })), { controls: null, calibration: null }),
    ).toEqual([]);
    expect(
      controlDoubts(runRecord(resolveExperiment(e5, { changes: [] })), { controls: null, calibration: null })[0],
    ).toContain('has the controls none; a run');
  });
});
