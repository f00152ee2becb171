/** Gates made up for tests: an entry, a run and a baseline with sensible values where a test does not care. */
import { loadExperiment } from '../experiment/catalog.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { restartVerdict, runRecord, verdictOfTest } from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { baselineOf, pooled, type Baseline } from './baseline.ts';
import type { Budget, Entry } from './files/budgets.ts';
import type { Attempt, Decision } from './decide.ts';

const e5 = await loadExperiment('E5');
const experiment = resolveExperiment(e5, {});

/** A budget on line 3. */
export function budget(figure: Budget['figure'], limits: Partial<Budget>): Budget {
  return { figure, line: 3, blocking: true, because: 'a reason for the test', ...limits };
}

/** An entry E5 on line 1 that allows nothing to be dropped. */
export function entry(over: Partial<Entry> = {}): Entry {
  return {
    name: 'E5',
    line: 1,
    blocking: true,
    because: 'a reason for the entry',
    budgets: [budget('dropped', { max: 0 }), budget('badRestarts', { max: 0 })],
    ...over,
  };
}

/** A verdict whose counts follow from what each restart dropped. */
export function verdictThatDropped(counts: readonly number[], over: Partial<Verdict> = {}): Verdict {
  const dropped = counts.reduce((sum, count) => sum + count, 0);
  return verdictOfTest({
    dropped,
    restarts: counts.length,
    badRestarts: counts.filter((count) => count > 0).length,
    perRestart: counts.map((droppedInRestart, index) =>
      restartVerdict({ restart: index + 1, droppedInRestart, predictedDropped: 0 }),
    ),
    verdict: dropped > 0 ? 'fail' : 'pass',
    ...over,
  });
}

/** A run with this verdict. */
export function runOf(verdict: Verdict, over: Partial<ExperimentRun> = {}): Extract<Attempt, { kind: 'run' }> {
  return { kind: 'run', verdict, run: runRecord(experiment, { runId: verdict.runId, ...over }) };
}

/** The baseline of these verdicts, each under a name of its own. */
export function baselineOfRuns(verdicts: readonly Verdict[], over: Partial<ExperimentRun> = {}): Baseline {
  const all = verdicts.map((verdict, index) => {
    const runId = `20261101T12000${index}Z-aaaa`;
    return baselineOf('E5', {
      verdict: { ...verdict, runId },
      run: runRecord(experiment, { runId, ...over }),
    });
  });
  return all.reduce(pooled);
}

/** A gate of one entry, with these tries. */
export function decision(attempts: readonly Attempt[], over: Partial<Decision> = {}): Decision {
  return {
    file: 'experiments/gate.yaml',
    alpha: 0.01,
    entries: [entry()],
    asked: new Set(['E5']),
    attempts: new Map([['E5', attempts]]),
    baselines: new Map(),
    ...over,
  };
}
