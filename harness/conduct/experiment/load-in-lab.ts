/** The measurement itself: load and deploys in a lab that is ready, on one clock, until every due request is settled. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Conversation } from '../../base/conversation.ts';
import { withTimeout } from '../../base/timeout.ts';
import { converse } from '../../lab/engine/exec.ts';
import type { Lab } from '../../lab/lab.ts';
import type { OwnApp } from '../run-request.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import type { ExperimentRun, FirstWrite } from '../../run/run-record.ts';
import { anotherRestart } from '../../run/deploy-plan.ts';
import type { DeployerMessage } from '../../run/files/deployer-log.ts';
import type { DeploySchedule } from '../../experiment/deploy-schedule.ts';
import { startProbe, type DirectProbe } from './direct-probe.ts';
import { deployPlanOf, loadPlanOf, queuesPathInServer, type PlannedLoad } from './load-plans.ts';
import { failedBeforeLoad, Generator } from '../generator.ts';
import type { Progress } from '../audience.ts';
import { makeFirstWrites } from './first-writes.ts';
import { RestartQuota } from './restart-quota.ts';
import { slotCount } from '../../experiment/load-schedule.ts';

/** How long the sampler of the listen queues may take to say its last word. */
const lastWordMs = 5_000;
/** How long the end of the deployer's output may take to arrive once it is closed. */
const deployerEndMs = 1_000;

/** What a measurement leaves, beside the files in the lab. */
export interface Measurement extends Awaited<ReturnType<typeof measure>> {
  /** What became of the writes that were made before the load. */
  readonly firstWrites: readonly FirstWrite[];
}

interface LoadOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The service of the user's own, with its secrets; null of the demo site. */
  readonly own: OwnApp | null;
  /** The first request is due: from now on there is something to lose. */
  readonly began: (clock: Pick<ExperimentRun, 'originMonotonicUs' | 'wallOffsetUs'>) => unknown;
}

/** The longest until notes are written and everything in the lab has begun; it takes a second. */
const prepareMs = 120_000;

/** Runs load and deploys to their end, or until `signal` is aborted; then what was recorded is kept. */
export async function loadInLab(
  lab: Lab,
  run: PlannedLoad,
  schedule: DeploySchedule,
  options: LoadOptions,
): Promise<Measurement> {
  const { experiment } = run;
  const plan = loadPlanOf(lab, run, schedule, options.own);
  const parties: { close(): void }[] = [];
  const talkTo = async (container: Docker.Container, program: string, ...args: string[]): Promise<Conversation> => {
    const talk = await converse(container, ['node', `/opt/harness/in-lab/${program}`, ...args]);
    parties.push(talk);
    return talk;
  };
  try {
    // First: where Ansible releases it lays the server out, and notes can be written only after that.
    const deployer = await talkTo(lab.control ?? lab.server, 'deploy/deployer.ts');
    deployer.say(JSON.stringify(await deployPlanOf(lab, run, schedule, options.own)));
    await inTime(awaitDeployer(deployer), options.signal);
    const { own, signal } = options;
    const firstWrites = own === null ? [] : await inTime(makeFirstWrites(lab, own, plan), signal);
    // A service of the user's own tells nobody when it accepts: its port is looked at more often.
    const everyMs = experiment.service === undefined ? 10 : 2;
    const [client, sampler, probe] = await Promise.all([
      talkTo(lab.client, 'load/main.ts'),
      talkTo(lab.server, 'deploy/queue-sampler.ts', queuesPathInServer, String(everyMs)),
      startProbe(lab, experiment, plan),
    ]);
    if (probe !== null) parties.push(probe);
    const generator = new Generator(client, plan);
    parties.push(generator);
    // The sampler must have begun before the load does.
    await inTime(Promise.all([sampler.lines.next(), generator.ready()]), options.signal);
    const measured = await measure({ generator, deployer, probe }, schedule, {
      ...options,
      ratePerSecond: plan.ratePerSecond,
      what: wordFor(experiment),
    });
    const troubles = (await wasSampledToTheEnd(sampler)) ? [] : [samplerEndedEarly];
    return { ...measured, firstWrites, troubles: [...measured.troubles, ...troubles] };
  } finally {
    for (const party of parties) party.close();
  }
}

/** What is prepared before the load, unless it takes too long or the run is cut short. */
async function inTime<T>(prepared: Promise<T>, signal: AbortSignal): Promise<T> {
  const cut = Promise.withResolvers<never>();
  const stop = (): void => cut.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await withTimeout(prepareMs, 'Preparing the load', Promise.race([prepared, cut.promise]));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const samplerEndedEarly =
  'The sampler of the listen queues ended before the load did: what waited after it is not known; run again.';

/** Ends the sampler, whose last word it is that it sampled until then. */
async function wasSampledToTheEnd(sampler: Conversation): Promise<boolean> {
  sampler.say('end');
  // A run that is cut short is over sooner than this, and its process must not wait for the timer.
  const last = await Promise.race([sampler.lines.next(), sleep(lastWordMs, undefined, { ref: false })]);
  return last?.value === 'sampled';
}

/** The programs in the lab that a measurement talks with. */
interface Parties {
  readonly generator: Generator;
  readonly deployer: Conversation;
  readonly probe: DirectProbe | null;
}

/** Load and deploys, from the first due request to the last outcome. */
async function measure(
  { generator, deployer, probe }: Parties,
  schedule: DeploySchedule,
  options: LoadOptions & { readonly ratePerSecond: number; readonly what: string },
) {
  const { ratePerSecond, what, progress, signal, began } = options;
  const quota = new RestartQuota(schedule);
  const slots = (): number => slotCount(ratePerSecond, quota.durationMs);
  const heard: DeployerMessage[] = [];
  const troubles: string[] = [];
  let originUs = 0;
  const deploys = (async (): Promise<void> => {
    for await (const line of deployer.lines) {
      const message = JSON.parse(line) as DeployerMessage;
      heard.push(message);
      const trouble = troubleIn(message, what);
      if (trouble !== null) troubles.push(trouble);
      if (message.kind === 'rested') quota.rested();
      if (message.kind !== 'deploy-begin') continue;
      progress.note(`${what} ${message.restart} of ${quota.used}`);
      quota.began((message.atMonotonicUs - originUs) / 1000);
    }
  })();
  const stop = (): void => {
    generator.stop(`The run was cut short (${String(signal.reason)}).`);
    probe?.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  const end = await generator
    .run({
      began: ({ originUs: atUs, wallOffsetUs }) => {
        originUs = atUs;
        began({ originMonotonicUs: originUs, wallOffsetUs: [wallOffsetUs, wallOffsetUs] });
        probe?.begin();
        deployer.say(JSON.stringify({ originUs }));
      },
      progress: (counts) => {
        progress.counts(counts, slots());
        if (counts.kind === 'done') return;
        const next = quota.decide(counts.atUs, counts.lateDueUs);
        if (next === 'another') deployer.say(anotherRestart);
        if (next === 'enough') generator.finish({ slots: slots() });
      },
    })
    .finally(() => signal.removeEventListener('abort', stop));
  deployer.close();
  if (end.aborted !== null) probe?.stop();
  const [directOriginUs] = await Promise.all([
    probe?.end() ?? null,
    Promise.race([deploys, sleep(deployerEndMs, undefined, { ref: false })]),
  ]);
  return {
    /** Restarts that were used: those wanted, and those that made up for voided ones. */
    restarts: quota.used,
    /** Slots that were due; null when the load was cut short. */
    due: end.aborted === null ? (end.done?.due ?? null) : null,
    originUs: end.originUs,
    /** CLOCK_MONOTONIC of the direct probe's first due time; null where there was no probe. */
    directOriginUs,
    wallOffsetUs: end.wallOffsetUs,
    deployer: heard,
    aborted: end.aborted,
    unfinished: end.done?.unfinished ?? 0,
    troubles,
  };
}

/** What a deploy of this experiment is called. */
function wordFor({ deploy, sites }: Experiment): 'release' | 'deploy' | 'restart' {
  if (deploy.action === 'release') return 'release';
  return (sites.count ?? 1) > 1 ? 'deploy' : 'restart';
}

/**
 * What a message of the deployer says against the run, as a sentence; null where it says nothing.
 * @param what a deploy is called
 */
function troubleIn(message: DeployerMessage, what: string): string | null {
  if (message.kind === 'deploy-end' && message.failure !== undefined) {
    return `${what.charAt(0).toUpperCase()}${what.slice(1)} ${message.restart} failed: ${message.failure}`;
  }
  if (message.kind === 'never-ready') {
    const site = message.site === undefined ? '' : ` at site ${message.site}`;
    return `Version ${message.version} of ${what} ${message.restart} never became ready${site}.`;
  }
  return null;
}

/** @throws {HarnessError} when the deployer's first word is another than that it waits */
async function awaitDeployer(deployer: Conversation): Promise<void> {
  const line = await deployer.lines.next();
  const message = line.done === true ? null : (JSON.parse(line.value) as DeployerMessage);
  if (message?.kind !== 'waiting') throw failedBeforeLoad('the deployer', deployer.stderr());
}
