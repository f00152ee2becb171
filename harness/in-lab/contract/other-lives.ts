/** Shorter lives: a second signal, a crash, a port that is taken. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { storedIds } from '../deploy/writes-question.ts';
import { slowestOf } from './drain.ts';
import { makeFirstWrites, writingEntries } from './first-writes.ts';
import { askOnce } from './line.ts';
import type {
  BusyPortSeen,
  ContractPlan,
  CrashSeen,
  FirstWritesPlan,
  InFlight,
  SecondSignalSeen,
  UnitState,
} from './messages.ts';
import { isOk } from './messages.ts';
import { halfEntry, requestOf } from './requests.ts';
import { measureMix, startServing, untilServing, versionOf } from './start.ts';
import { beginHalf, orderStop, sendSlow, unlessEarly } from './stop.ts';
import { end, found, stateOf, systemctl, withSettings } from './unit.ts';

/** From SIGTERM to the second one, and from that to the rest of the request. */
const signalMs = 150;
/** Writes before the crash. */
const writeCount = 20;
const writersCount = 4;
const askMs = 10_000;
/** Beyond TimeoutStopSec, by which the other processes of the unit are gone: RestartSec is 100 ms unless the unit says more. */
const restartMs = 10_000;
const mostStopMs = 40_000;

/** A second SIGTERM while a request is in flight. */
export async function secondSignalLife(plan: ContractPlan): Promise<SecondSignalSeen> {
  const served = await startServing(plan);
  const version = served ? await versionOf(plan) : { shown: null };
  const request = served ? await inFlightRequest(plan) : null;
  const inFlight = request === null ? null : await signalTwice(plan, request);
  await end(plan.unit);
  return { life: 'second-signal', served, version, inFlight };
}

async function signalTwice(plan: ContractPlan, finish: () => Promise<InFlight>): Promise<InFlight> {
  const { pid } = await orderStop(plan);
  await sleep(signalMs);
  const secondUs = monotonicUs();
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // Gone already.
  }
  await sleep(signalMs);
  return unlessEarly(await finish(), secondUs);
}

/** A request that is in flight; null where the mix has none that can be. */
async function inFlightRequest(plan: ContractPlan): Promise<(() => Promise<InFlight>) | null> {
  const entry = halfEntry(plan);
  if (entry !== undefined) {
    const finish = await beginHalf(plan, entry);
    await sleep(50);
    return finish;
  }
  const { measured } = await measureMix(plan);
  const slow = slowestOf(plan, measured);
  if (slow === null) return null;
  const answered = sendSlow(plan, slow.entry);
  await sleep(Math.min(50, slow.ms / 4));
  return () => answered;
}

/** SIGKILL right after the last acknowledged write. */
export async function crashLife(plan: ContractPlan): Promise<CrashSeen> {
  const served = await startServing(plan);
  const writing = served && plan.writes !== null ? { ...plan, writes: plan.writes } : null;
  const firstWrites = writing === null ? [] : await makeFirstWrites(writing);
  const written = writing === null ? [] : await writeSome(writing);
  const before = await stateOf(plan.unit);
  const nothing = { restartedUs: null, servedAgainUs: null, missing: null, trouble: null };
  if (!served || before.mainPid === 0) {
    await end(plan.unit);
    return { life: 'crash', served: false, killedUs: null, state: before, firstWrites, acknowledged: 0, ...nothing };
  }
  process.kill(before.mainPid, 'SIGKILL');
  const killedUs = monotonicUs();
  const restartedUs = await untilRestarted(plan, before);
  if (restartedUs === null) {
    await end(plan.unit);
    void systemctl('start', plan.unit);
  }
  const servedAgainUs = await untilServing(plan);
  const stored = await missingOf(plan, written).then(
    (missing) => ({ missing, trouble: null }),
    (error: unknown) => ({ missing: null, trouble: messageOf(error) }),
  );
  const state = await stateOf(plan.unit);
  await end(plan.unit);
  const times = { killedUs, restartedUs, servedAgainUs };
  return { life: 'crash', served, ...times, state, firstWrites, acknowledged: written.length, ...stored };
}

async function untilRestarted({ unit }: ContractPlan, before: UnitState): Promise<number | null> {
  const limitMs = restartMs + Math.min(before.timeoutStopMs ?? Infinity, mostStopMs);
  const restartedUs = await found(limitMs, async () => {
    const { mainPid, activeState } = await stateOf(unit);
    if (mainPid !== 0 && mainPid !== before.mainPid) return monotonicUs();
    return activeState === 'failed' || activeState === 'inactive' ? null : undefined;
  });
  return restartedUs ?? null;
}

/** Writes; ids of those that were acknowledged. The last answer comes right before this resolves. */
async function writeSome(plan: FirstWritesPlan): Promise<string[]> {
  const entries = writingEntries(plan);
  const acknowledged: string[] = [];
  let left = writeCount;
  const writer = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const entry = entries[left % entries.length];
      if (entry === undefined) return;
      const request = requestOf(plan, entry, 'new');
      const { result } = await askOnce(plan.publicPort, request, askMs);
      if (isOk(result, request.expected)) acknowledged.push(request.id);
    }
  };
  await Promise.all(Array.from({ length: writersCount }, writer));
  return acknowledged;
}

/** Ids that are not stored; null where nobody says where to look. */
async function missingOf({ writes }: ContractPlan, ids: readonly string[]): Promise<string[] | null> {
  if (writes === null || ids.length === 0) return null;
  const found = new Set(await storedIds(writes.question, ids));
  return ids.filter((id) => !found.has(id));
}

/** A start while another has the port. */
export async function busyPortLife(plan: ContractPlan): Promise<BusyPortSeen> {
  // One that is started again and again would not be seen to have ended.
  return await withSettings(plan.unit, '[Service]\nRestart=no\n', async () => {
    const taken = createServer((socket) => socket.destroy());
    await once(taken.listen(plan.publicPort, '127.0.0.1'), 'listening');
    const startedUs = monotonicUs();
    void systemctl('start', plan.unit);
    let state = await stateOf(plan.unit);
    const endedUs = await found(plan.startMs, async () => {
      state = await stateOf(plan.unit);
      return state.ended !== '' && state.mainPid === 0 ? monotonicUs() : undefined;
    });
    await end(plan.unit);
    taken.close();
    return { life: 'busy-port', startedUs, endedUs: endedUs ?? null, state };
  });
}
