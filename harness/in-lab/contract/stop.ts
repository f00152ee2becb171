/** A stop by systemd, as a deploy makes it, and what is in flight meanwhile. */
import { monotonicUs } from '../../base/clock.ts';
import type { PlanMixEntry } from '../load/plan.ts';
import { askOnce, Line } from './line.ts';
import type { ContractPlan, InFlight, StopSeen } from './messages.ts';
import { requestOf } from './requests.ts';
import { found, isAlive, stateOf, systemctl } from './unit.ts';

/** systemd hears a moment later that its process has ended. */
const settledMs = 1_000;
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
  const goneBy = (limitMs: number) => found(limitMs, () => (isAlive(pid) ? undefined : monotonicUs()));
  const { timeoutStopMs } = await stateOf(plan.unit);
  const limitMs = Math.min(plan.stopMs, timeoutStopMs ?? Infinity);
  // Before systemd kills it: what it does by itself is to be seen.
  const idleMs = Math.min(afterIdleMs, limitMs / 4);
  const goneUs = (await goneBy(limitMs - 1.5 * idleMs - (monotonicUs() - orderedUs) / 1000)) ?? null;
  if (goneUs === null) closeIdle();
  const waitedForIdle = goneUs === null && (await goneBy(idleMs)) !== undefined;
  await found(settledMs, async () => {
    const { activeState, mainPid } = await stateOf(plan.unit);
    return (mainPid === 0 && activeState !== 'deactivating') || isAlive(mainPid) ? activeState : undefined;
  });
  return { askedUs, orderedUs, goneUs, waitedForIdle, state: await stateOf(plan.unit) };
}

/** Sends the head of a request and half of its body. Whoever calls what it gives sends the rest, and gets the answer. */
export async function beginHalf(plan: ContractPlan, entry: PlanMixEntry): Promise<() => Promise<InFlight>> {
  const { name, expected, first, rest } = requestOf(plan, entry, 'new');
  const line = new Line(plan.publicPort);
  await line.connected;
  const answer = line.answer(answerMs);
  line.write(first);
  return async () => {
    line.write(rest);
    const told = await answer;
    line.close();
    return { name, kind: 'half', expected, told };
  };
}

/** Sends a request that takes a while. */
export async function sendSlow(plan: ContractPlan, entry: PlanMixEntry): Promise<InFlight> {
  const request = requestOf(plan, entry, 'new');
  const told = await askOnce(plan.publicPort, request, answerMs);
  return { name: request.name, kind: 'slow', expected: request.expected, told };
}

/** One that had been answered before the signal tells nothing. */
export function unlessEarly(request: InFlight, signalUs: number): InFlight {
  const { told } = request;
  const isEarly = told !== null && typeof told.result === 'number' && told.doneUs < signalUs;
  return isEarly ? { ...request, told: null } : request;
}
