/** Examines a service of the user's own: boots a server, has the program there look at one life after another, and judges. */
import type Docker from 'dockerode';
import type { Conversation } from '../../base/conversation.ts';
import { HarnessError } from '../../base/errors.ts';
import type { Audience } from '../../conduct/audience.ts';
import type { HeldEngine } from '../../conduct/hold-engine.ts';
import type { OwnApp } from '../../conduct/run-request.ts';
import { loadExperiment } from '../../experiment/catalog.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { sitesOf } from '../../experiment/units.ts';
import type { ContractMessage, ContractPlan, Life, LifeRequest, LifeSeen } from '../../in-lab/contract/messages.ts';
import { writesQuestionOf } from '../../in-lab/deploy/writes-question.ts';
import { converse, exec } from '../../lab/engine/exec.ts';
import { putFiles } from '../../lab/engine/files.ts';
import { releaseEnvironment, releaseFolder } from '../../lab/own-service/files.ts';
import { bootServer, type LabServer } from '../../lab/own-service/server.ts';
import { removeRun } from '../../lab/remove.ts';
import { newRunId } from '../../run/run-folder.ts';
import type { CheckResult } from './checks.ts';
import { isDoubtful, judgeContract, lifeOf, type Seen } from './judge.ts';
import type { Known } from './outcome.ts';

/** The longest wait for a start, for the end of one that must fail, and for a stop that the user's own unit allows. */
const startMs = 30_000;
const stopMs = 40_000;
/** Of a unit that is the lab's. */
const timeoutStopSec = 15;
/** A warm-up long enough to be seen, and a drain that is not cut short. */
const told = { warmupMs: 300, graceMs: 50, shutdownTimeoutMs: 10_000 } as const;

/** What the doctor says of a service. */
export interface Examination {
  readonly service: string;
  readonly checks: readonly CheckResult[];
}

/** Examines it; whatever happens, nothing is left in the engine. */
export async function examineService(engine: HeldEngine, audience: Audience, own: OwnApp): Promise<Examination> {
  const { docker, facts, image } = engine;
  const { signal } = audience;
  const progress = audience.follow({ title: own.service.name });
  const runId = `contract-${newRunId(new Date())}`;
  const isHanded = own.service.listens === 'inherits';
  try {
    progress.phase('boots a server');
    const experiment = await wiredAs(own, isHanded);
    const server = await bootServer(docker, {
      ...{ runId, experiment, own, image, facts, signal },
      say: (line) => progress.note(line),
    });
    const known = knownOf(own, experiment, isHanded);
    const talk = await converse(server.container, ['node', '/opt/harness/in-lab/contract/main.ts']);
    try {
      talk.say(JSON.stringify(planOf(own, experiment, runId)));
      const ask = askingOf(talk, signal, (text) => progress.phase(text));
      const seen = await livesOf(ask, server, { experiment, own, known });
      const checks = judgeContract(known, seen).map((result) => ({ ...result, seen: own.hide(result.seen) }));
      return { service: own.service.name, checks };
    } finally {
      talk.close();
    }
  } finally {
    progress.end();
    await removeRun(docker, runId);
  }
}

/** E0, or with a socket of systemd's E5, with the service in place of the demo site. */
async function wiredAs({ service }: OwnApp, isHanded: boolean): Promise<Experiment> {
  const base = resolveExperiment(await loadExperiment(isHanded ? 'E5' : 'E0'), {});
  return {
    ...base,
    service,
    app: { ...base.app, ...told },
    unit: { ...base.unit, timeoutStopSec, restart: 'on-failure' },
  };
}

function knownOf({ service }: OwnApp, experiment: Experiment, isHanded: boolean): Known {
  const { listens, health, version, release, unit, writes, internal } = service;
  const [{ publicPort, internalPort }] = sitesOf(experiment)[0].colours;
  return {
    ...{ listens, isHanded, publicPort, internalPort },
    hasInternal: internal !== undefined,
    hasLive: health.live !== undefined,
    hasReady: health.ready !== undefined,
    hasVersion: version !== undefined,
    release: release === undefined ? null : { setsVersion: JSON.stringify(release).includes('{version}') },
    hasUnit: unit !== undefined,
    hasWrites: writes !== undefined,
  };
}

function planOf({ service, mix }: OwnApp, experiment: Experiment, id: string): ContractPlan {
  const [site] = sitesOf(experiment);
  const { hostHeader, colours } = site;
  const [{ service: unit, socket, publicPort, internalPort }] = colours;
  const { health, version, writes } = service;
  const question = writesQuestionOf(service, site);
  return {
    ...{ id, hostHeader, unit, socket, publicPort, internalPort, mix, startMs, stopMs },
    live: health.live ?? null,
    ready: health.ready ?? null,
    version: version ?? null,
    writes: writes === undefined || question === null ? null : { requests: writes.requests, question },
  };
}

/** Asks the program in the server for one life; its progress goes to `doing`. */
type Ask = <Kind extends Life>(request: LifeRequest & { life: Kind }) => Promise<Extract<LifeSeen, { life: Kind }>>;

function askingOf(talk: Conversation, signal: AbortSignal, doing: (text: string) => void): Ask {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  aborted.catch(() => undefined);
  return async (request) => {
    signal.throwIfAborted();
    talk.say(JSON.stringify(request));
    for (;;) {
      const line = await Promise.race([talk.lines.next(), aborted]);
      if (line.done === true) {
        throw new HarnessError('lab-not-ready', `The examination ended without a word: ${talk.stderr().trim()}`);
      }
      const message = JSON.parse(line.value) as ContractMessage;
      if (message.kind === 'seen') return message.seen as Extract<LifeSeen, { life: typeof request.life }>;
      doing(message.text);
    }
  };
}

/** Every life that tells something of this service, in turn. */
async function livesOf(
  ask: Ask,
  server: LabServer,
  { experiment, own, known }: { experiment: Experiment; own: OwnApp; known: Known },
): Promise<Seen> {
  const { isHanded, listens } = known;
  const first = await ask({ life: 'drain', isHanded, stops: true });
  const { serves, stops } = lifeOf(known, first);
  const live = <Kind extends Life>(life: Kind) => ask<Kind>({ life, isHanded, stops });
  const nothing = { second: null, crash: null, busy: null };
  // Why it does not serve a socket is another life's to tell.
  if (!serves) {
    const socket = isHanded ? await ask({ life: 'socket', isHanded, stops: true }) : null;
    return { drains: [first], ...nothing, socket };
  }
  const drains: Seen['drains'] = isDoubtful(known, first) ? [first, await live('drain')] : [first];
  await release(server.container, experiment, own);
  const second = await live('second-signal');
  const crash = await live('crash');
  const busy = listens === 'inherits' ? null : await live('busy-port');
  if (listens === 'itself') return { drains, second, crash, busy, socket: null };
  if (!isHanded) await server.rewire(await wiredAs(own, true));
  return { drains, second, crash, busy, socket: await live('socket') };
}

/** A release of v1, as a deploy makes it before its restart. */
async function release(server: Docker.Container, experiment: Experiment, { service }: OwnApp): Promise<void> {
  const [colour] = sitesOf(experiment)[0].colours;
  const environment = releaseEnvironment(experiment, service, colour).replaceAll('{version}', 'v1');
  await putFiles(server, [{ path: colour.releaseFile, content: environment }]);
  const { release: made } = service;
  if (made === undefined) return;
  if ('link' in made) {
    const next = made.folders[1 % made.folders.length] ?? '';
    await exec(server, ['ln', '-sfn', releaseFolder(service, next), made.link]);
  }
  if ('command' in made) await exec(server, ['sh', '-c', made.command.replaceAll('{version}', 'v1')]);
}
