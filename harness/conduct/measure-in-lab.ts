/** The measurement itself: load and deploys in a lab that is ready, on one clock, until every due request is settled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../base/errors.ts';
import type { Conversation } from '../base/conversation.ts';
import { converse } from '../lab/exec.ts';
import { proxyFileTexts, type Lab } from '../lab/lab.ts';
import { site, type Colour } from '../experiment/units.ts';
import { answerLimits, type LoadMessage, type LoadPlan } from '../in-lab/plan.ts';
import type { Experiment } from '../experiment/experiment.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { anotherRestart, type DeployerMessage, type DeployPlan, type DeployUnit } from '../run/deploy-plan.ts';
import type { DeploySchedule } from '../experiment/deploy-schedule.ts';
import { startDirectProbe, type DirectProbe } from './direct-probe.ts';
import type { Progress } from './audience.ts';
import { SpareRestarts } from './spare-restarts.ts';
import { labDeadlineMs, labPrimedNotes } from '../run/site-requests.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** Where the ledger lies in the client's container. */
export const ledgerPathInClient = '/var/ledger.ndjson';
/** Where the samples of the listen queues lie in the server's container. */
export const queuesPathInServer = '/var/queues.ndjson';
/** Longest wait that connections are kept for; rate × this is the cap. */
const longestExpectedWaitMs = 5_000;
/** The most connections that a load has open at once. */
export function connectionsOf({ load, deploy }: Experiment): number {
  // Who is behind a long transaction waits for all of it.
  const longestWaitMs = Math.max(longestExpectedWaitMs, deploy.longTransactionMs * 1.2);
  return Math.max(64, Math.ceil((load.ratePerSecond * longestWaitMs) / 1000));
}

/** How long a generator that was told to stop may take to settle what is under way. */
const stopDeadlineMs = 5_000;

/** What a measurement leaves, beside the files in the lab. */
export interface Measurement {
  /** Restarts that were used: those wanted, and those that made up for voided ones. */
  readonly restarts: number;
  /** Slots that were due; null when the load was cut short. */
  readonly due: number | null;
  readonly originUs: number | null;
  /** CLOCK_MONOTONIC of the direct probe's first due time; null where there was no probe. */
  readonly directOriginUs: number | null;
  readonly wallOffsetUs: [number, number] | null;
  readonly deployer: readonly DeployerMessage[];
  readonly aborted: string | null;
  readonly unfinished: number;
  readonly troubles: readonly string[];
}

/** Who hears of a load while it goes on. */
interface LoadOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The first request is due: from now on there is something to lose. */
  readonly began: (clock: Pick<ExperimentRun, 'originMonotonicUs' | 'wallOffsetUs'>) => void;
}

/** Runs load and deploys to their end, or until `signal` is aborted; then what was recorded is kept. */
export async function measureInLab(
  lab: Lab,
  run: Pick<ExperimentRun, 'runId' | 'experiment' | 'seed'>,
  schedule: DeploySchedule,
  options: LoadOptions,
): Promise<Measurement> {
  const { load, proxy } = run.experiment;
  const plan: LoadPlan = {
    runId: run.runId,
    trial: 1,
    seed: run.seed,
    host: lab.serverAddress,
    port: lab.targetPort,
    hostHeader: site.hostHeader,
    ratePerSecond: load.ratePerSecond,
    durationMs: new SpareRestarts(schedule).longestMs,
    mix: load.mix,
    connections: load.connections,
    deadlineMs: labDeadlineMs,
    maxConnections: connectionsOf(run.experiment),
    ...answerLimits,
    primedNotes: labPrimedNotes,
    ledgerPath: ledgerPathInClient,
    threads: 1,
  };
  const deployPlan: DeployPlan = {
    runId: run.runId,
    deploy: run.experiment.deploy,
    units: deployUnits(lab),
    beginsMs: schedule.beginsMs,
    wanted: schedule.wanted,
    proxyFile:
      proxy.cutover === 'check'
        ? null
        : { path: site.proxyFile, texts: await proxyFileTexts(run.experiment), how: proxy.cutover },
  };
  const [generator, deployer, sampler, probe] = await Promise.all([
    converse(lab.client, ['node', '/opt/harness/in-lab/main.ts']),
    converse(lab.server, ['node', '/opt/harness/in-lab/deployer.ts']),
    converse(lab.server, ['node', '/opt/harness/in-lab/queue-sampler.ts', queuesPathInServer]),
    startDirectProbe(lab, run.experiment, plan),
  ]);
  try {
    // What samples must have begun before the load does.
    await sampler.lines.next();
    const measured = await talk({ generator, deployer, probe }, plan, deployPlan, { schedule, ...options });
    return (await wasSampledToTheEnd(sampler))
      ? measured
      : { ...measured, troubles: [...measured.troubles, samplerEndedEarly] };
  } finally {
    generator.close();
    deployer.close();
    sampler.close();
    probe?.close();
  }
}

const samplerEndedEarly =
  'The sampler of the listen queues ended before the load did: what waited after it is not known; run again.';

/** Ends the sampler, whose last word it is that it sampled until then. */
async function wasSampledToTheEnd(sampler: Conversation): Promise<boolean> {
  sampler.say('end');
  // A run that is cut short is over sooner than this, and its process must not wait for the timer.
  const last = await Promise.race([sampler.lines.next(), sleep(stopDeadlineMs, undefined, { ref: false })]);
  return last?.value === 'sampled';
}

function deployUnits({ colours }: Lab): DeployPlan['units'] {
  const [first, ...others] = colours;
  const unitOf = ({ service, socket, releaseFile, internalAddress, publicPort }: Colour): DeployUnit => ({
    service,
    socket,
    releaseFile,
    internalAddress,
    publicAddress: `127.0.0.1:${publicPort}`,
  });
  return [unitOf(first), ...others.map(unitOf)];
}

/** Those whom a measurement talks with, in the lab. */
interface Parties {
  readonly generator: Conversation;
  readonly deployer: Conversation;
  readonly probe: DirectProbe | null;
}

async function talk(
  { generator, deployer, probe }: Parties,
  plan: LoadPlan,
  deployPlan: DeployPlan,
  { schedule, progress, signal, began }: LoadOptions & { schedule: DeploySchedule },
): Promise<Measurement> {
  const spares = new SpareRestarts(schedule);
  const slots = (): number => slotCount(plan.ratePerSecond, spares.durationMs);
  const deployerSaid: DeployerMessage[] = [];
  const troubles: string[] = [];
  let originUs = null as number | null;
  let before = 0;
  let aborted: string | null = null;
  generator.say(JSON.stringify(plan));
  deployer.say(JSON.stringify(deployPlan));
  await expectMessage(deployer, 'waiting', 'the deployer');
  await expectMessage(generator, 'primed', 'the load generator');
  signal.throwIfAborted();

  const listening = (async (): Promise<void> => {
    for await (const line of deployer.lines) {
      const message = JSON.parse(line) as DeployerMessage;
      deployerSaid.push(message);
      if (message.kind === 'deploy-begin') {
        progress.note(`restart ${message.restart} of ${spares.used}`);
        spares.began((message.atMonotonicUs - (originUs ?? message.atMonotonicUs)) / 1000);
      }
      if (message.kind === 'rested') spares.rested();
      if (message.kind === 'deploy-end' && message.failure !== undefined) {
        troubles.push(`Restart ${message.restart} failed: ${message.failure}`);
      }
      if (message.kind === 'never-ready') {
        troubles.push(`Version ${message.version} of restart ${message.restart} never became ready.`);
      }
    }
  })();
  const stop = (): void => {
    aborted = `The run was cut short (${String(signal.reason)}).`;
    generator.say(JSON.stringify({ kind: 'stop' }));
  };
  signal.addEventListener('abort', stop, { once: true });
  generator.say(JSON.stringify({ kind: 'go' }));
  let result: Extract<LoadMessage, { kind: 'done' }> | undefined;
  const stopped = new AbortController();
  const gaveUp = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => {
      void sleep(stopDeadlineMs, undefined, { signal: stopped.signal }).then(
        () => resolve(undefined),
        () => undefined,
      );
    });
  });
  const heard = (async (): Promise<void> => {
    for await (const line of generator.lines) {
      const message = JSON.parse(line) as LoadMessage;
      if (message.kind === 'origin') {
        originUs = message.originUs;
        before = message.clock.wallUs - message.clock.monotonicUs;
        began({ originMonotonicUs: originUs, wallOffsetUs: [before, before] });
        probe?.begin();
        deployer.say(JSON.stringify({ originUs }));
      }
      if (message.kind === 'progress') {
        progress.counts(message, slots());
        const next = spares.decide(message.atUs, message.lateDueUs);
        if (next === 'another') deployer.say(anotherRestart);
        if (next === 'enough') generator.say(JSON.stringify({ kind: 'finish', slots: slots() }));
      }
      if (message.kind === 'error') aborted = `The load generator failed: ${message.message}`;
      if (message.kind === 'done') {
        progress.counts(message, slots());
        result = message;
        return;
      }
    }
  })();
  await Promise.race([heard, gaveUp]);
  stopped.abort();
  signal.removeEventListener('abort', stop);
  deployer.close();
  // The closures above write these; the compiler sees only their first values.
  const end = result;
  const why = aborted as string | null;
  const isCutShort = end === undefined || why !== null;
  const [directOriginUs] = await Promise.all([probe?.end(isCutShort) ?? null, Promise.race([listening, sleep(1_000)])]);
  return {
    restarts: spares.used,
    due: isCutShort ? null : end.due,
    originUs,
    directOriginUs,
    wallOffsetUs: end === undefined ? null : [before, end.clock.wallUs - end.clock.monotonicUs],
    deployer: deployerSaid,
    aborted:
      why ?? (end === undefined ? `The load generator ended without a word. ${generator.stderr()}`.trim() : null),
    unfinished: end?.unfinished ?? 0,
    troubles,
  };
}

async function expectMessage(
  conversation: Conversation,
  kind: (LoadMessage | DeployerMessage)['kind'],
  who: string,
): Promise<void> {
  const line = await conversation.lines.next();
  const message = line.done === true ? undefined : (JSON.parse(line.value) as LoadMessage | DeployerMessage);
  if (message?.kind === kind) return;
  if (message?.kind === 'unprimed') {
    const what = message.error === null ? message.outcome : `${message.outcome} (${message.error})`;
    throw new HarnessError(
      'site-failed',
      `Before the load, the site did not acknowledge note ${message.note + 1} of those that the load reads: ${what}.`,
    );
  }
  const said = message !== undefined && 'message' in message ? message.message : conversation.stderr().trim();
  throw new HarnessError(
    'generator-failed',
    `Before the load began, ${who} failed: ${said === '' ? 'it said nothing' : said}`,
  );
}
