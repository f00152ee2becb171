/** When each deploy of a series begins, and how long the load under it may last. */
import { seededRandom } from '../../base/random.ts';
import { commandSpacingMs } from '../../experiment/deploy-schedule.ts';
import type { Service } from '../../experiment/service.ts';
import { mostSlots } from '../../run/run-record.ts';

/** How long load and command last. */
export interface MeasureTimes {
  /** How long slots are due; with a command, the least time. */
  readonly durationMs: number;
  /** From the first slot to the start of the command, at least. */
  readonly leadMs: number;
  /** The longest that the command may take, each time. */
  readonly whileTimeoutMs: number;
  /** How long the service has to answer steadily after the command. */
  readonly settleMs: number;
  readonly settleTimeoutMs: number;
}

/** What the seed draws for one deploy; it begins when both times have passed. */
export interface DeployDraw {
  /** From the begin of the deploy before. */
  readonly afterBeginMs: number;
  /**
   * From the moment at which the service is known to be steady: without it, deploys that take longer than the spacing
   * would all begin at the same phase of whatever goes on in the service.
   */
  readonly afterSteadyMs: number;
}

const longestJitterMs = 1_000;
/** Room beyond the longest course of the deploys, whose end is the load's. */
const spareMs = 60_000;
/** No load of `measure` lasts longer. */
const longestLoadMs = 24 * 3_600_000;

type Series = Pick<Service, 'restarts' | 'everyMs'>;

/** Draws of a series; the same seed gives the same. A single deploy begins when it may. */
export function deployDraws({ restarts = 1, everyMs }: Series, seed: number): DeployDraw[] {
  if (restarts === 1) return [{ afterBeginMs: 0, afterSteadyMs: 0 }];
  const random = seededRandom(seed, 'deploys');
  const [shortestMs, longestMs] = commandSpacingMs(everyMs);
  const jitterMs = Math.min(longestJitterMs, longestMs - shortestMs);
  return Array.from({ length: restarts }, () => ({
    afterBeginMs: Math.round(shortestMs + random() * (longestMs - shortestMs)),
    afterSteadyMs: Math.round(random() * jitterMs),
  }));
}

/** How long the load may last, whose end the deploys decide: when all of them have taken all the time that they have. */
export function loadBoundMs(
  service: Pick<Service, 'restarts' | 'everyMs' | 'ratePerSecond' | 'timeoutMs'>,
  times: MeasureTimes,
): number {
  const { restarts = 1, everyMs, ratePerSecond, timeoutMs } = service;
  const { durationMs, leadMs, whileTimeoutMs, settleTimeoutMs } = times;
  const deployMs = whileTimeoutMs + settleTimeoutMs;
  const betweenMs = commandSpacingMs(everyMs)[1] + longestJitterMs + settleTimeoutMs;
  const allMs = durationMs + leadMs + timeoutMs + restarts * deployMs + (restarts - 1) * betweenMs + spareMs;
  return Math.min(allMs, longestLoadMs, Math.floor((mostSlots / ratePerSecond) * 1000));
}
