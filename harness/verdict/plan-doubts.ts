/** Is what run.json says was planned what the harness would have planned? Its schedule is drawn from the seed alone. */
import type { ExperimentRun } from '../run/run-record.ts';
import { deploySchedule, longestLoadMs, type DeploySchedule } from '../experiment/deploy-schedule.ts';
import type { RestartWindow } from './restart-windows.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** What of the plan cannot be, each a sentence. Only of a run that went to its end: one that was cut short has another. */
export function planDoubts(run: ExperimentRun, windows: readonly RestartWindow[]): string[] {
  if (run.aborted !== null) return [];
  const schedule = deploySchedule(run.experiment.deploy, run.seed, run.experiment.load.ratePerSecond);
  const doubts = beginsDoubts(run, schedule);
  // A length can be held only against restarts that the schedule has.
  if (doubts.length === 0) doubts.push(...lengthDoubts(run, schedule, windows));
  if (run.unfinished > 0) {
    doubts.push(
      `run.json has ${run.unfinished} requests that were under way at the end, and does not say that the run was cut ` +
        'short: a load that goes to its end settles all of them.',
    );
  }
  return doubts;
}

/** The wanted restarts are there, and after them only spare ones, each when the schedule says. */
function beginsDoubts({ deployBeginsMs, seed }: ExperimentRun, { beginsMs, wanted }: DeploySchedule): string[] {
  const used = deployBeginsMs.length;
  const isOfSchedule = deployBeginsMs.every((ms, index) => ms === beginsMs[index]);
  if (used >= wanted && isOfSchedule) return [];
  return [
    `run.json's deployBeginsMs is not what its experiment and seed ${seed} give (${wanted} restarts, the first at ` +
      `${beginsMs[0] ?? '–'} ms; ${used} there, the first at ${deployBeginsMs[0] ?? '–'} ms): it was changed after the run.`,
  ];
}

/**
 * The load ends no earlier than its tail after the last restart, and no later than a load by this schedule may. Counted in
 * slots, since the length is written as the slots that were due.
 */
function lengthDoubts(
  { deployBeginsMs, durationMs, experiment }: ExperimentRun,
  schedule: DeploySchedule,
  windows: readonly RestartWindow[],
): string[] {
  const used = deployBeginsMs.length;
  const last = windows.find(({ restart }) => restart === used);
  // Where restarts began late, the load went on for longer.
  const slipMs = last === undefined ? 0 : Math.max(0, last.deployBeginUs / 1000 - (deployBeginsMs.at(-1) ?? 0));
  const { ratePerSecond } = experiment.load;
  const shortestMs = schedule.durationMs(used) + slipMs;
  const longestMs = longestLoadMs(schedule);
  const slots = (durationMs * ratePerSecond) / 1000;
  const isWhole = Math.abs(slots - Math.round(slots)) < 1e-6 * Math.max(1, slots);
  const [fewest, most] = [shortestMs, longestMs].map((ms) => slotCount(ratePerSecond, ms)) as [number, number];
  if (isWhole && slots > fewest - 1.5 && slots < most + 0.5) return [];
  return [
    `run.json's durationMs is ${durationMs}: by its schedule the load takes ${shortestMs.toFixed(0)} to ` +
      `${longestMs.toFixed(0)} ms, in whole slots at ${ratePerSecond} a second.`,
  ];
}
