import { describe, expect, it } from 'vitest';
import e0 from '../../experiments/E0-control.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { deploySchedule } from '../experiment/deploy-schedule.ts';
import { planDoubts } from './plan-doubts.ts';
import { runRecord, window } from './testing.ts';

const experiment = resolveExperiment(e5, { changes: [['deploy.restarts', 5]] });
const schedule = deploySchedule(experiment.deploy, 1, experiment.load.ratePerSecond);

/** The length as a run's record has it: of the slots that were due, at 200 a second. */
const wholeMs = (restarts: number): number => Math.ceil(schedule.durationMs(restarts) / 5) * 5;

/** A run of five restarts, and room for one spare, as the harness plans it. */
function planned(over: Partial<ExperimentRun> = {}): ExperimentRun {
  return {
    ...runRecord(experiment),
    experiment,
    deployBeginsMs: schedule.beginsMs.slice(0, 5),
    durationMs: wholeMs(5),
    ...over,
  };
}

const doubts = (over: Partial<ExperimentRun>): string[] => planDoubts(planned(over), []);
const lastBeganAt = (ms: number) => ({ ...window, restart: 5, deployBeginUs: ms * 1000 });

describe('the plan of a run', () => {
  it('is what its experiment and seed give', () => {
    expect(doubts({})).toEqual([]);
    expect(planDoubts(runRecord(resolveExperiment(e5, { changes: [] })), [window])).toEqual([]);
    expect(planDoubts(runRecord(resolveExperiment(e0, { changes: [] })), [])).toEqual([]);
  });

  it('may have a spare restart, and then goes on for longer', () => {
    const spare = { deployBeginsMs: [...schedule.beginsMs], durationMs: wholeMs(6) };
    expect(schedule.beginsMs).toHaveLength(6);
    expect(doubts(spare)).toEqual([]);
    expect(doubts({ ...spare, durationMs: wholeMs(5) })).toHaveLength(1);
  });

  it.each<[string, Partial<ExperimentRun>]>([
    ['no restarts', { deployBeginsMs: [] }],
    ['one too few', { deployBeginsMs: schedule.beginsMs.slice(0, 4) }],
    ['more than the spare one', { deployBeginsMs: [...schedule.beginsMs, 99_000] }],
    ['another moment', { deployBeginsMs: [1, ...schedule.beginsMs.slice(1, 5)] }],
    ['another seed', { seed: 2 }],
    ['another number of restarts', { experiment: { ...experiment, deploy: { ...experiment.deploy, restarts: 80 } } }],
  ])('with %s is none', (_, over) => {
    expect(doubts(over)).toEqual([
      expect.stringContaining("run.json's deployBeginsMs is not what its experiment and seed"),
    ]);
  });

  it('that has no restart at all says so', () => {
    expect(doubts({ deployBeginsMs: [] })).toEqual([
      `run.json's deployBeginsMs is not what its experiment and seed 1 give (5 restarts, the first at ${schedule.beginsMs[0] ?? 0} ` +
        'ms; 0 there, the first at – ms): it was changed after the run.',
    ]);
    expect(doubts({ deployBeginsMs: [7] })[0]).toContain('; 1 there, the first at 7 ms)');
  });

  it('has a load that takes whole slots, from its tail after the last restart to twice the schedule', () => {
    const shortestMs = wholeMs(5);
    const longestMs = Math.floor((2 * schedule.durationMs(6) + 30_000) / 5) * 5;
    for (const durationMs of [shortestMs, shortestMs + 5, longestMs]) {
      expect(doubts({ durationMs })).toEqual([]);
    }
    for (const durationMs of [0, -1, shortestMs - 20, shortestMs + 2, longestMs + 10, 1e12]) {
      expect(doubts({ durationMs })).toEqual([expect.stringContaining(`run.json's durationMs is ${durationMs}: `)]);
      expect(doubts({ durationMs })[0]).toContain('ms, in whole slots at 200 a second.');
    }
  });

  it('is longer by as much as the last restart began late', () => {
    const lateMs = (schedule.beginsMs[4] ?? 0) + 400;
    expect(planDoubts(planned({}), [lastBeganAt(lateMs)])).toHaveLength(1);
    expect(planDoubts(planned({ durationMs: wholeMs(5) + 400 }), [lastBeganAt(lateMs)])).toEqual([]);
    expect(planDoubts(planned({}), [{ ...lastBeganAt(lateMs), restart: 4 }])).toEqual([]);
  });

  it('settles every request, unless it was cut short', () => {
    expect(doubts({ unfinished: 5 })).toEqual([expect.stringContaining('run.json has 5 requests that were under way')]);
    expect(doubts({ unfinished: 5, deployBeginsMs: [], aborted: 'It was cut short.' })).toEqual([]);
  });
});
