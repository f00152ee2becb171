/** When each deploy begins: drawn from the seed, with spare ones to make up for the voided. */
import type { Experiment } from './experiment.ts';
import { seededRandom } from '../base/random.ts';

/** When each deploy begins, in milliseconds since the origin, and how long the load goes on. */
export interface DeploySchedule {
  /** The restarts that are wanted, and after them those that may make up for voided ones. */
  readonly beginsMs: readonly number[];
  readonly wanted: number;
  /** Length of the load, in milliseconds, with this number of restarts. */
  durationMs(restarts: number): number;
}

/** There is one spare restart for every five, to make up for a void one. */
const oneSpareIn = 5;

/** Above this rate the spacing grows with the rate, so that the queue of one restart is empty before the next begins. */
const spacedForRate = 500;

/** A last restart that is not over so long after the schedule's end never will be: what is missing is then judged. */
export const patienceMs = 30_000;

/** The longest that a load by this schedule may take, in milliseconds: restarts begin late on a slow machine. */
export function longestLoadMs(schedule: DeploySchedule): number {
  const restarts = schedule.beginsMs.length;
  const wholeMs = schedule.durationMs(restarts);
  return restarts === 0 ? wholeMs : 2 * wholeMs + patienceMs;
}

/**
 * From one run of a user's command to the next, at least: drawn from half to one and a half of what was asked for, so that
 * no run always meets the same phase of whatever ticks in the service.
 */
export function commandSpacingMs(everyMs = 10_000): readonly [shortest: number, longest: number] {
  return [everyMs / 2, (everyMs * 3) / 2];
}

/** The same seed gives the same schedule. */
export function deploySchedule(deploy: Experiment['deploy'], seed: number, ratePerSecond: number): DeploySchedule {
  const random = seededRandom(seed, 'deploys');
  const stretch = Math.max(1, ratePerSecond / spacedForRate);
  const [shortest, longest] = deploy.spacingMs.map((ms) => ms * stretch) as [number, number];
  const draw = (): number => Math.round(shortest + random() * (longest - shortest));
  const beginsMs: number[] = [];
  const restarts = deploy.action === 'none' ? 0 : deploy.restarts;
  // The first is drawn too: with a fixed start its phase against a proxy's check would be the same in every run.
  let atMs = deploy.leadMs + Math.round(random() * 1_000);
  for (let restart = 1; restart <= restarts + Math.floor(restarts / oneSpareIn); restart++) {
    beginsMs.push(atMs);
    atMs += draw();
  }
  return {
    beginsMs,
    wanted: restarts,
    durationMs: (used) => (beginsMs[used - 1] ?? deploy.leadMs) + deploy.tailMs,
  };
}
