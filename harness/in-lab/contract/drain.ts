/** The life that most of the contract is about: a start, some requests, SIGTERM with requests in flight, the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContractPlan, DrainSeen, InFlight, LifeRequest, Measured } from './messages.ts';
import { openKept } from './kept.ts';
import { halfEntry } from './requests.ts';
import { startSampling } from './sampler.ts';
import { measureMix, measureRoom, startWatched, versionOf } from './start.ts';
import { awaitStop, beginHalf, orderStop, sendSlow, unlessEarly } from './stop.ts';
import { end } from './unit.ts';

/** A request that takes less may be answered before the signal arrives. */
const slowMs = 80;
/** The second half of a body comes so long after SIGTERM. */
const halfMs = 700;

/** Watches it. */
export async function drainLife(
  plan: ContractPlan,
  { isHanded }: LifeRequest,
  doing: (text: string) => void,
): Promise<DrainSeen> {
  doing('starts it');
  const start = await startWatched(plan);
  if (start.servedUs === null) {
    await end(plan.unit);
    const nothing = { measured: [], keepsConnections: false, stop: null, samples: [], inFlight: [], kept: [] };
    return { life: 'drain', start, version: { shown: null }, ...nothing };
  }
  const { measured, keepsConnections } = await measureMix(plan);
  const room = await measureRoom(plan);
  const version = await versionOf(plan);
  doing('stops it with requests in flight');
  const stopped = await stopUnderLoad(plan, { isHanded, measured, room });
  await end(plan.unit);
  return { life: 'drain', start, measured, version, keepsConnections, ...stopped };
}

async function stopUnderLoad(
  plan: ContractPlan,
  { isHanded, measured, room }: { isHanded: boolean; measured: readonly Measured[]; room: number },
): Promise<Pick<DrainSeen, 'stop' | 'samples' | 'inFlight' | 'kept'>> {
  const half = halfEntry(plan);
  const slow = slowestOf(plan, measured);
  const kept = await openKept(plan);
  const begun = half === undefined ? null : await beginHalf(plan, half);
  // Where systemd owns the port, a new connection would start the next process.
  const sampling = startSampling(plan, !isHanded);
  const beside: Promise<InFlight>[] = [];
  const stopping = await orderStop(plan, async () => {
    await kept.beforeSignal();
    // What would wait for the half request to end is not in flight.
    if (slow !== null && (half === undefined || room > 1)) beside.push(sendSlow(plan, slow.entry));
    // Both must have arrived.
    await sleep(Math.min(50, (slow?.ms ?? Infinity) / 4));
  });
  const finishing = sleep(halfMs).then(() => begun?.());
  const stop = await awaitStop(plan, stopping, () => kept.end());
  const seen = kept.end();
  await sampling.end();
  const inFlight = [...(await Promise.all(beside)), await finishing].flatMap((request) =>
    request === undefined ? [] : unlessEarly(request, stopping.orderedUs),
  );
  return { stop, samples: sampling.samples, inFlight, kept: seen };
}

/** The request that takes longest, if that is long enough. */
export function slowestOf(
  { mix }: ContractPlan,
  measured: readonly Measured[],
): { entry: ContractPlan['mix'][number]; ms: number } | null {
  const ms = Math.max(...measured.map(({ medianMs }) => medianMs));
  const entry = mix[measured.findIndex(({ medianMs }) => medianMs === ms)];
  return entry === undefined || ms < slowMs ? null : { entry, ms };
}
