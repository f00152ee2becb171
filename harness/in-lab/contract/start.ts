/** A start of the service, watched from before it, and what it is asked while it serves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs } from '../../base/clock.ts';
import { askOnce, Line } from './line.ts';
import type { ContractPlan, Measured, Sample, StartSeen, Told, VersionSeen } from './messages.ts';
import { isOk, isServed } from './messages.ts';
import { halfEntry, healthRequest, quickRequest, rememberQuickest, requestOf } from './requests.ts';
import { startSampling } from './sampler.ts';
import { found, lastWords, listeners, processesOf, stateOf, systemctl } from './unit.ts';

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
  const { expected } = quickRequest(plan);
  const sampling = startSampling(plan, true);
  const startedUs = monotonicUs();
  const started = systemctl('start', plan.unit);
  const first = (of: Sample['of'], isGood: (sample: Sample) => boolean): Sample | undefined =>
    sampling.samples.find((sample) => sample.of === of && isGood(sample));
  const served = await found(plan.startMs, async () => {
    const { activeState, restarts } = await stateOf(plan.unit);
    const isOver = activeState === 'failed' || restarts > mostRestarts;
    return first('public', ({ result }) => isServed(result, expected)) ?? (isOver ? null : undefined);
  });
  const isReady = (): true | undefined =>
    plan.ready === null || first('ready', ({ result }) => isOk(result, null)) !== undefined || undefined;
  if (served != null) {
    await found(readyMs, isReady);
    await sleep(afterMs);
  }
  const [ports, processes] = await Promise.all([listeners(), processesOf(plan.unit)]);
  await sampling.end();
  // A unit that tells when it is ready keeps its start waiting until then.
  await Promise.race([started, sleep(20)]);
  return {
    startedUs,
    servedUs: served?.doneUs ?? null,
    samples: sampling.samples,
    state: await stateOf(plan.unit),
    listeners: ports,
    processes,
    lastWords: served == null ? await lastWords(plan) : [],
  };
}

/** Starts it, and waits until it serves; false when it does not in time. */
export async function startServing(plan: ContractPlan): Promise<boolean> {
  void systemctl('start', plan.unit);
  return (await untilServing(plan)) !== null;
}

/** When the first request was answered; null where none was in time. */
export async function untilServing(plan: ContractPlan): Promise<number | null> {
  const servedUs = await found(plan.startMs, async () => {
    const request = quickRequest(plan);
    const { result, doneUs } = await askOnce(plan.publicPort, request, askMs);
    return isServed(result, request.expected) ? doneUs : undefined;
  });
  return servedUs ?? null;
}

/** Asks each request of the mix some times in a row on one connection. */
export async function measureMix(plan: ContractPlan): Promise<{ measured: Measured[]; keepsConnections: boolean }> {
  const measured: Measured[] = [];
  let keepsConnections = false;
  for (const entry of plan.mix) {
    let line = new Line(plan.publicPort);
    const answers: Told[] = [];
    for (let count = 0; count < 3; count++) {
      const told = await line.ask(requestOf(plan, entry), askMs);
      answers.push(told);
      if (told.keepsOpen && line.isOpen()) continue;
      line.close();
      line = new Line(plan.publicPort);
    }
    line.close();
    keepsConnections ||= answers.some((told) => told.keepsOpen);
    const { name, expected } = requestOf(plan, entry);
    const tookMs = answers.map(({ sentUs, doneUs }) => (doneUs - sentUs) / 1000).sort((one, other) => one - other);
    measured.push({ name, expected, results: answers.map(({ result }) => result), medianMs: tookMs[1] ?? 0 });
  }
  rememberQuickest(plan, measured);
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
    await sleep(20);
    const quick = quickRequest(plan);
    if (!isServed((await askOnce(plan.publicPort, quick, besideMs)).result, quick.expected)) break;
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
  const isPage = 'path' in version;
  const line = new Line(isPage ? plan.internalPort : plan.publicPort);
  const { result } = await line.ask(isPage ? healthRequest(plan, version.path) : quickRequest(plan), askMs);
  line.close();
  if (!isPage) return { shown: line.last?.headers.get(version.header.toLowerCase()) ?? null };
  return { shown: isOk(result, null) ? (line.last?.body?.toString('utf8').trim().slice(0, 200) ?? null) : null };
}
