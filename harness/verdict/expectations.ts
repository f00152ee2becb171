/** What the experiment expects, beside what was measured. */
import type { Experiment } from '../scenario/experiment.ts';
import type { Verdict } from './verdict.ts';

/** The measured figures that expectations are about. */
export type Measured = Pick<Verdict, 'dropped' | 'restarts' | 'badRestarts' | 'longestWaitMs' | 'longestOutageMs'> & {
  readonly predictedDropped: number | null;
};

/** Each expectation with its answer, in the order of the file. */
export function checkExpectations(expect: Experiment['expect'], measured: Measured): Verdict['expectations'] {
  const rows: Verdict['expectations'] = [droppedRow(expect.dropped, measured)];
  if (expect.badRestarts !== undefined) rows.push(badRestartsRow(expect.badRestarts, measured));
  if (expect.longestWait !== undefined) rows.push(longestWaitRow(expect.longestWait, measured));
  return rows;
}

type Row = Verdict['expectations'][number];

function droppedRow(dropped: Experiment['expect']['dropped'], measured: Measured): Row {
  const common = { what: 'dropped requests', measured: String(measured.dropped), because: dropped.because };
  if ('max' in dropped) {
    return { ...common, expected: `at most ${dropped.max}`, met: measured.dropped <= dropped.max };
  }
  const { predictedDropped } = measured;
  if (predictedDropped === null) {
    return { ...common, expected: `within ${dropped.withinPercent} % of a prediction, but there is none`, met: false };
  }
  const slack = (predictedDropped * dropped.withinPercent) / 100;
  const [low, high] = [predictedDropped - slack, predictedDropped + slack];
  return {
    ...common,
    expected: `${low.toFixed(0)} to ${high.toFixed(0)} (predicted ${predictedDropped.toFixed(0)} ± ${dropped.withinPercent} %)`,
    met: measured.dropped >= low && measured.dropped <= high,
  };
}

function badRestartsRow(bad: NonNullable<Experiment['expect']['badRestarts']>, measured: Measured): Row {
  const common = {
    what: 'restarts that dropped something',
    measured: `${measured.badRestarts} of ${measured.restarts}`,
    because: bad.because,
  };
  if ('all' in bad) {
    const met = measured.restarts > 0 && measured.badRestarts === measured.restarts;
    return { ...common, expected: 'every one', met };
  }
  return { ...common, expected: `at most ${bad.max}`, met: measured.badRestarts <= bad.max };
}

function longestWaitRow(wait: NonNullable<Experiment['expect']['longestWait']>, measured: Measured): Row {
  const { longestWaitMs, longestOutageMs } = measured;
  const limitMs = longestOutageMs === null ? null : longestOutageMs * (1 + wait.abovePercentOfOutage / 100);
  return {
    what: 'longest wait',
    expected:
      limitMs === null
        ? 'at most the longest outage window, which was not seen'
        : `at most ${limitMs.toFixed(0)} ms (longest outage window + ${wait.abovePercentOfOutage} %)`,
    measured: longestWaitMs === null ? 'no answer at all' : `${longestWaitMs.toFixed(0)} ms`,
    met: limitMs !== null && longestWaitMs !== null && longestWaitMs <= limitMs,
    because: wait.because,
  };
}
