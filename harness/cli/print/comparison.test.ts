import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e5 from '../../../experiments/E5-socket-activation.ts';
import { restartVerdict, runRecord, verdictOfTest } from '../../verdict/testing.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';
import type { ReadRun } from '../../verdict/record/read-run.ts';
import { compareRuns, comparisonText } from './comparison.ts';

/** Eight restarts, each with so many drops. */
function read(drops: number, over: Partial<Verdict> = {}, record = runRecord(e5)): ReadRun {
  const perRestart = Array.from({ length: 8 }, (_, index) =>
    restartVerdict({ restart: index + 1, deployBeginUs: index * 1e6, droppedInRestart: drops }),
  );
  const verdict = verdictOfTest({
    runId: `run-${drops}`,
    dropped: 8 * drops,
    badRestarts: drops > 0 ? 8 : 0,
    perRestart,
    ...over,
  });
  return { run: record, verdict };
}

describe('two runs side by side', () => {
  it('are told apart by exact tests on restarts', () => {
    const { tests } = compareRuns(read(0), read(3));
    // One table of C(16,8) has all bad ones on this side, one on the other.
    expect(tests.badRestartsP).toBeCloseTo(2 / 12_870, 12);
    expect(tests.droppedPerRestartP).toBeCloseTo(2 / 12_870, 12);
    expect(compareRuns(read(3), read(3)).tests).toMatchObject({ badRestartsP: 1, droppedPerRestartP: 1 });
    expect(comparisonText(compareRuns(read(0), read(3)))).toContain('0 of 8 against 8 of 8: p = 0.0002');
  });

  it('are told apart by either test below half of 0.05, as two deploys are', () => {
    // 5 of 8 bad ones against none: 2 · C(8,5) / C(16,5).
    const some = read(0, { badRestarts: 5 });
    const { tests } = compareRuns(read(0), some);
    expect(tests.badRestartsP).toBeCloseTo(0.0256, 4);
    expect(tests.significantBelow).toBe(0.025);
    expect(comparisonText(compareRuns(read(0), some))).toContain('two-sided), no significant difference. Drops');
  });

  it('leave out of the test a restart that proves nothing', () => {
    const one = read(0);
    const [first, ...rest] = one.verdict.perRestart;
    const voided = { ...one.verdict, restarts: 7, perRestart: [restartVerdict({ ...first, voided: true }), ...rest] };
    // One table of C(15,7) each.
    expect(compareRuns({ ...one, verdict: voided }, read(3)).tests.droppedPerRestartP).toBeCloseTo(2 / 6_435, 12);
  });

  it('are not compared by restarts where one has none', () => {
    const still = read(0, { restarts: 0, perRestart: [] });
    expect(compareRuns(still, read(3)).tests).toMatchObject({ badRestartsP: null, droppedPerRestartP: null });
    expect(comparisonText(compareRuns(still, read(3)))).toContain('there is nothing to test');
    const voided = read(0, { restarts: 0, voidRestarts: 8, perRestart: [] });
    expect(comparisonText(compareRuns(voided, read(3)))).toContain('no restart that counts (8 void)');
  });

  it('say nothing against each other when they are alike, but that they are one', () => {
    expect(compareRuns(read(0), read(0, { runId: 'another' })).warnings).toEqual([]);
    expect(compareRuns(read(0), read(0)).warnings).toEqual(['Both are the same run.']);
  });

  it('warn of other settings by their paths, of another lab, and of another state of the project', () => {
    const other = runRecord(e1, { fingerprint: { ...runRecord(e1).fingerprint, kernel: '7', project: 'p' } });
    const of = compareRuns(read(0), read(3, { hashes: { experiment: 'a'.repeat(64), ledger: 'b' } }, other));
    expect(of.experimentDiffers).toContainEqual({ name: 'unit.activation', a: 'socket', b: 'none' });
    expect(of.experimentDiffers.map(({ name }) => name)).not.toContain('title');
    expect(of.fingerprintDiffers).toEqual([
      { name: 'kernel', a: '6', b: '7' },
      { name: 'project', a: null, b: 'p' },
    ]);
    expect(of.warnings).toContain('The fingerprints differ in kernel: the lab is not the same.');
    expect(of.warnings).toContain('The two ran different states of the project in project.');
    expect(of.warnings.join()).toMatch(/The experiments differ in app\.drain, .*unit\.activation/u);
  });

  it('warn of a run that is no evidence, and of one without controls', () => {
    const doubted = read(0, { verdict: 'inconclusive', reasons: ['Requests left late.'], controls: null });
    const { warnings } = compareRuns(read(1), doubted);
    expect(warnings).toContain('B is inconclusive: its figures are no evidence. Requests left late.');
    expect(warnings).toContain('B was made without controls: it is not for citing.');
  });

  it('give each figure of both, and the difference', () => {
    const text = comparisonText(compareRuns(read(0, { longestWaitMs: 100 }), read(3, { longestWaitMs: 850 })));
    expect(text).toMatch(/\| longest wait +\| 100 ms +\| 850 ms +\| \+750 ms +\|/u);
    expect(text).toMatch(/\| dropped a restart +\| 0 +\| 3 +\| \+3 +\|/u);
  });
});
