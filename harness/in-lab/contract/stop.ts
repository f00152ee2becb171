/** A stop by systemd, as a deploy makes it, and what is in flight meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import type { PlanMixEntry } from '../load/plan.ts';
import { Line } from './line.ts';
import type { ContractPlan, InFlight, StopSeen } from './messages.ts';
import { requestOf } from './requests.ts';
import { isAlive, stateOf, systemctl } from './unit.ts';

const pollMs = 10;
/** A process that waited for idle connections alone is gone soon after they are closed. */
const afterIdleMs = 1_000;
const answerMs = 30_000;

/** SIGTERM that systemd has sent. */
export interface Stopping {
  readonly pid: number;
  readonly askedUs: number;
  readonly orderedUs: number;
}

/**
 * Has systemd stop the unit.
 * @param atLast does what must be done right before
 */
export async function orderStop(plan: ContractPlan, atLast?: () => Promise<void>): Promise<Stopping> {
  const { mainPid: pid } = await stateOf(plan.unit);
  await atLast?.();
  const askedUs = monotonicUs();
  await systemctl('stop', '--no-block', plan.unit);
  return { pid, askedUs, orderedUs: monotonicUs() };
}

/** Waits until the process is gone, as long as it may take. */
export async function awaitStop(
  plan: ContractPlan,
  { pid, askedUs, orderedUs }: Stopping,
  closeIdle: () => void,
): Promise<StopSeen> {
  const goneBy = async (limitMs: number): Promise<number | null> => {
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline) {
      if (!isAlive(pid)) return monotonicUs();
      await sleep(pollMs);
    }
    return null;
  };
  const { timeoutStopMs } = await stateOf(plan.unit);
  const limitMs = Math.min(plan.stopMs, timeoutStopMs ?? Infinity);
  // Before systemd kills it: what it does by itself is to be seen.
  const idleMs = Math.min(afterIdleMs, limitMs / 4);
  const goneUs = await goneBy(limitMs - 1.5 * idleMs - (monotonicUs() - orderedUs) / 1000);
  if (goneUs === null) closeIdle();
  const waitedForIdle = goneUs === null && (await goneBy(idleMs)) !== null;
  await settled(plan);
  return { askedUs, orderedUs, goneUs, waitedForIdle, state: await stateOf(plan.unit) };
}

/** systemd hears a moment later that its process has ended. */
async function settled(plan: ContractPlan): Promise<void> {
  for (let look = 0; look < 50; look++) {
    const { activeState, mainPid } = await stateOf(plan.unit);
    if (mainPid === 0 && activeState !== 'deactivating') return;
    if (isAlive(mainPid)) return;
    await sleep(pollMs);
  }
}

/** A request of which the service has the head and half of the body. */
export interface Half {
  /** Sends the rest, and waits for the answer. */
  finish(): Promise<InFlight>;
}

/** Begins one. */
export async function beginHalf(plan: ContractPlan, entry: PlanMixEntry): Promise<Half> {
  const { name, expected, first, rest } = requestOf(plan, entry, 'new');
  const line = new Line(plan.publicPort);
  await line.connected();
  const answer = line.answer(answerMs);
  line.write(first);
  return {
    finish: async () => {
      line.write(rest);
      const told = await answer;
      line.close();
      return { name, kind: 'half', expected, told };
    },
  };
}

/** Sends a request that takes a while. */
export async function sendSlow(plan: ContractPlan, entry: PlanMixEntry): Promise<InFlight> {
  const { name, expected, whole, isHead } = requestOf(plan, entry, 'new');
  const line = new Line(plan.publicPort);
  const told = await line.ask(whole, answerMs, isHead);
  line.close();
  return { name, kind: 'slow', expected, told };
}

/** One that had been answered before the signal tells nothing. */
export function unlessEarly(request: InFlight, signalUs: number): InFlight {
  const { told } = request;
  return told !== null && typeof told.result === 'number' && told.doneUs < signalUs
    ? { ...request, told: null }
    : request;
}
