/** A start of the service, watched from before it, and what it is asked while it serves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import { askOnce, Line } from './line.ts';
import type { ContractPlan, Measured, Sample, StartSeen, UnitState, VersionSeen } from './messages.ts';
import {
  halfEntry,
  healthRequest,
  isOk,
  isServed,
  quickEntry,
  rememberQuickest,
  requestOf,
  tookMs,
} from './requests.ts';
import { startSampling } from './sampler.ts';
import { lastWords, listeners, processesOf, stateOf, systemctl } from './unit.ts';

const pollMs = 20;
/** Sampled for so long once it serves: what comes after the first answer belongs to the start. */
const afterMs = 200;
/** Ready must say 200 within this time of the first answer. */
const readyMs = 5_000;
const askMs = 10_000;
/** A request that finds nobody free for so long is not answered beside the others. */
const besideMs = 1_000;
/** One that always fails is started this often, and no more. */
const mostRestarts = 2;

/** Starts the service, and watches until it serves, or never will. */
export async function startWatched(plan: ContractPlan): Promise<StartSeen> {
  const expected = requestOf(plan, quickEntry(plan)).expected;
  const sampling = startSampling(plan, true);
  const startedUs = monotonicUs();
  const started = systemctl('start', plan.unit);
  const first = (of: Sample['of'], isGood: (sample: Sample) => boolean): Sample | undefined =>
    sampling.samples.find((sample) => sample.of === of && isGood(sample));
  const deadline = performance.now() + plan.startMs;
  let served: Sample | undefined;
  let state: UnitState = await stateOf(plan.unit);
  while (served === undefined && performance.now() < deadline) {
    await sleep(pollMs);
    served = first('public', ({ result }) => isServed(result, expected));
    state = await stateOf(plan.unit);
    if (state.activeState === 'failed' || state.restarts > mostRestarts) break;
  }
  const readyBy = performance.now() + readyMs;
  const isReady = (): boolean =>
    plan.ready === null || first('ready', ({ result }) => isOk(result, null)) !== undefined;
  while (served !== undefined && !isReady() && performance.now() < readyBy) await sleep(pollMs);
  if (served !== undefined) await sleep(afterMs);
  const [ports, processes] = await Promise.all([listeners(), processesOf(plan.unit)]);
  await sampling.end();
  // A unit that tells when it is ready keeps its start waiting until then.
  await Promise.race([started, sleep(pollMs)]);
  return {
    startedUs,
    servedUs: served?.doneUs ?? null,
    samples: sampling.samples,
    state: await stateOf(plan.unit),
    listeners: ports,
    processes,
    lastWords: served === undefined ? await lastWords(plan) : [],
  };
}

/** Starts it, and waits until it serves; false when it does not in time. */
export async function startServing(plan: ContractPlan): Promise<boolean> {
  void systemctl('start', plan.unit);
  return (await untilServing(plan)) !== null;
}

/** When the first request was answered; null where none was in time. */
export async function untilServing(plan: ContractPlan): Promise<number | null> {
  const deadline = performance.now() + plan.startMs;
  while (performance.now() < deadline) {
    const { expected, whole } = requestOf(plan, quickEntry(plan), 'new');
    const { result, doneUs } = await askOnce(plan.publicPort, whole, askMs);
    if (isServed(result, expected)) return doneUs;
    await sleep(pollMs);
  }
  return null;
}

/** Asks each request of the mix some times in a row on one connection. */
export async function measureMix(plan: ContractPlan): Promise<{ measured: Measured[]; keepsConnections: boolean }> {
  const measured: Measured[] = [];
  let keepsConnections = false;
  for (const entry of plan.mix) {
    let line = new Line(plan.publicPort);
    const results: Measured['results'][number][] = [];
    const times: number[] = [];
    let { name, expected } = requestOf(plan, entry);
    for (let count = 0; count < 3; count++) {
      const request = requestOf(plan, entry);
      ({ name, expected } = request);
      const told = await line.ask(request.whole, askMs, request.isHead);
      results.push(told.result);
      times.push(tookMs(told));
      keepsConnections ||= told.keepsOpen;
      if (told.keepsOpen && line.isOpen()) continue;
      line.close();
      line = new Line(plan.publicPort);
    }
    line.close();
    measured.push({ name, expected, results, medianMs: times.sort((one, other) => one - other)[1] ?? 0 });
  }
  rememberQuickest(
    plan,
    measured.map(({ results, expected, medianMs }) => ({
      isOk: results.every((result) => isOk(result, expected)),
      ms: medianMs,
    })),
  );
  return { measured, keepsConnections };
}

/** How many requests it answers at the same time, up to 3: others wait with half of their body sent. */
export async function measureRoom(plan: ContractPlan): Promise<number> {
  const entry = halfEntry(plan);
  if (entry === undefined) return 3;
  const waiting: { line: Line; rest: Buffer }[] = [];
  let room = 1;
  while (room < 3) {
    const { first, rest } = requestOf(plan, entry, 'new');
    const line = new Line(plan.publicPort);
    line.write(first);
    waiting.push({ line, rest });
    await sleep(pollMs);
    const { whole, expected } = requestOf(plan, quickEntry(plan), 'new');
    if (!isServed((await askOnce(plan.publicPort, whole, besideMs)).result, expected)) break;
    room += 1;
  }
  await Promise.all(
    waiting.map(async ({ line, rest }) => {
      const answer = line.answer(askMs);
      line.write(rest);
      await answer;
      line.close();
    }),
  );
  return room;
}

/** The version that it shows. */
export async function versionOf(plan: ContractPlan): Promise<VersionSeen> {
  const { version } = plan;
  if (version === null) return { shown: null };
  if ('path' in version) {
    const { result, last } = await askOnce(plan.internalPort, healthRequest(plan, version.path), askMs);
    return { shown: isOk(result, null) ? (last?.body?.toString('utf8').trim().slice(0, 200) ?? null) : null };
  }
  const { last } = await askOnce(plan.publicPort, requestOf(plan, quickEntry(plan), 'new').whole, askMs);
  return { shown: last?.headers.get(version.header.toLowerCase()) ?? null };
}
