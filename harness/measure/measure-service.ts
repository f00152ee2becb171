/** The measurement of a service on its own: load, the command under it, and the files of a run like any other. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { execa } from 'execa';
import { HarnessError } from '../errors.ts';
import { monotonicUs } from '../load/clock.ts';
import { slotCount } from '../load/pacer.ts';
import { threadsFor, type LoadMessage, type LoadPlan } from '../load/plan.ts';
import { spawnGenerator } from '../load/spawn.ts';
import { runFiles } from '../scenario/run-folder.ts';
import type { ServiceRun } from '../scenario/run-record.ts';
import type { Service } from '../scenario/service.ts';
import type { TimelineEvent } from '../timeline/event.ts';
import { judgeRun } from '../verdict/judge.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { Steadiness } from './steadiness.ts';

/** How long load and command last. */
export interface MeasureTimes {
  /** How long slots are due; with a command, at least so long. */
  readonly durationMs: number;
  /** From the first slot to the start of the command. */
  readonly leadMs: number;
  /** How long the service has to answer steadily after the command. */
  readonly settleMs: number;
  /** The longest to wait for that. */
  readonly settleTimeoutMs: number;
}

/** What a measurement needs beside the service. */
export interface MeasureSetting {
  readonly seed: number;
  readonly runId: string;
  /** The run's own folder; it is made. */
  readonly folder: string;
  /** The command that repeats the measurement. */
  readonly command: string;
  readonly signal: AbortSignal;
  readonly onCounts?: (counts: Extract<LoadMessage, { kind: 'progress' | 'done' }>, total: number | null) => void;
  readonly onNote?: (text: string) => void;
}

/** The longest load that --while can come to: a bound on the slots, not on the command. */
const longestMs = 4 * 3_600_000;
/** How long a generator that was told to stop may take. */
const stopDeadlineMs = 5_000;

/** Measures, and writes run.json, timeline, ledger and verdict. Whatever is recorded is kept. */
export async function measureService(service: Service, times: MeasureTimes, setting: MeasureSetting): Promise<Verdict> {
  const { folder, runId, seed } = setting;
  await mkdir(folder, { recursive: true });
  const rawLedger = join(folder, 'ledger.ndjson');
  const startedAt = new Date().toISOString();
  const measured = await load(planOf(service, times, { runId, seed, ledgerPath: rawLedger }), service, times, setting);
  await pipeline(createReadStream(rawLedger), createGzip(), createWriteStream(join(folder, runFiles.ledger)));
  await rm(rawLedger);
  const run: ServiceRun = {
    kind: 'measure',
    schema: 1,
    runId,
    seed,
    command: setting.command,
    startedAt,
    originMonotonicUs: measured.originUs,
    wallOffsetUs: measured.wallOffsetUs,
    durationMs: measured.due === null ? times.durationMs : (measured.due * 1000) / service.ratePerSecond,
    fingerprint: {
      node: process.version,
      kernel: release(),
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: String(cpus().length),
    },
    aborted: measured.aborted,
    unfinished: measured.unfinished,
    troubles: measured.troubles,
    service,
    before: null,
    commandRun: service.whileCommand !== null,
    shell: null,
    listeners: null,
    notes: [],
  };
  await writeFile(join(folder, runFiles.run), `${JSON.stringify(run, null, 2)}\n`);
  await writeFile(
    join(folder, runFiles.timeline),
    measured.events.map((event) => `${JSON.stringify(event)}\n`).join(''),
  );
  return await judgeRun(folder);
}

function planOf(
  service: Service,
  { durationMs }: MeasureTimes,
  { runId, seed, ledgerPath }: { runId: string; seed: number; ledgerPath: string },
): LoadPlan {
  const isOwnHost = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'host';
  const { method, path, headers, bodyBase64, expectedStatus } = service;
  return {
    runId,
    trial: 1,
    seed,
    host: service.address,
    port: service.port,
    hostHeader: headers.findLast(isOwnHost)?.[1] ?? service.address,
    ratePerSecond: service.ratePerSecond,
    durationMs: service.whileCommand === null ? durationMs : longestMs,
    mix: [
      {
        method,
        path,
        weight: 1,
        fixed: { headers: headers.filter((header) => !isOwnHost(header)), bodyBase64, expectedStatus },
      },
    ],
    connections: service.connections,
    deadlineMs: service.timeoutMs,
    maxConnections: service.maxConnections,
    maxHeadBytes: service.maxHeadBytes,
    maxAnswerBytes: service.maxAnswerBytes,
    primedNotes: 0,
    ledgerPath,
    threads: threadsFor(service.ratePerSecond, service.connections, availableParallelism()),
  };
}

interface Measured {
  originUs: number | null;
  wallOffsetUs: [number, number] | null;
  due: number | null;
  aborted: string | null;
  unfinished: number;
  readonly troubles: string[];
  readonly events: TimelineEvent[];
}

async function load(plan: LoadPlan, service: Service, times: MeasureTimes, setting: MeasureSetting): Promise<Measured> {
  const { signal, onCounts } = setting;
  const generator = spawnGenerator();
  const measured: Measured = {
    originUs: null,
    wallOffsetUs: null,
    due: null,
    aborted: null,
    unfinished: 0,
    troubles: [],
    events: [],
  };
  const steadiness = new Steadiness(times.settleMs);
  const total = service.whileCommand === null ? slotCount(plan.ratePerSecond, plan.durationMs) : null;
  const over = new AbortController();
  const stop = (): void => {
    measured.aborted = `The run was cut short (${String(signal.reason)}).`;
    generator.say(JSON.stringify({ kind: 'stop' }));
    // It answers within its grace; one that does not is let go, and ends when its input is closed.
    void sleep(stopDeadlineMs, undefined, { signal: over.signal }).then(
      () => generator.close(),
      () => undefined,
    );
  };
  generator.say(JSON.stringify(plan));
  let before = 0;
  let commanded: Promise<void> = Promise.resolve();
  try {
    for await (const line of generator.lines) {
      const message = JSON.parse(line) as LoadMessage;
      if (message.kind === 'error') {
        throw new HarnessError('generator-failed', `The load generator failed: ${message.message}`);
      }
      if (message.kind === 'primed') {
        signal.throwIfAborted();
        signal.addEventListener('abort', stop, { once: true });
        generator.say(JSON.stringify({ kind: 'go' }));
      }
      if (message.kind === 'origin') {
        measured.originUs = message.originUs;
        before = message.clock.wallUs - message.clock.monotonicUs;
        measured.events.push({ atUs: 0, kind: 'load-begin', source: 'deployer', restart: 0 });
        if (service.whileCommand !== null) {
          commanded = runUnderLoad(service.whileCommand, message.originUs, times, setting, {
            measured,
            steadiness,
          }).then(() => generator.say(JSON.stringify({ kind: 'finish' })));
        }
      }
      if (message.kind === 'progress') {
        steadiness.add(message.atUs, message);
        onCounts?.(message, total);
      }
      if (message.kind === 'done') {
        onCounts?.(message, total);
        measured.due = message.due;
        measured.unfinished = message.unfinished;
        measured.wallOffsetUs = [before, message.clock.wallUs - message.clock.monotonicUs];
        measured.events.push({
          atUs: Math.round((message.due * 1e6) / plan.ratePerSecond),
          kind: 'load-end',
          source: 'deployer',
          restart: service.whileCommand === null ? 0 : 1,
        });
        break;
      }
    }
  } finally {
    over.abort();
    signal.removeEventListener('abort', stop);
    generator.close();
  }
  if (measured.due === null)
    measured.aborted ??= `The load generator ended without a word. ${generator.stderr()}`.trim();
  await commanded;
  measured.events.sort((a, b) => a.atUs - b.atUs);
  return measured;
}

/** Waits, runs the command, and waits until the service is steady (or never will be). */
async function runUnderLoad(
  command: string,
  originUs: number,
  { leadMs, durationMs, settleTimeoutMs, settleMs }: MeasureTimes,
  { signal, onNote }: MeasureSetting,
  { measured, steadiness }: { measured: Measured; steadiness: Steadiness },
): Promise<void> {
  const nowUs = (): number => monotonicUs() - originUs;
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  const isCut = (): boolean => signal.aborted;
  await wait(leadMs);
  if (isCut()) return;
  onNote?.(`running: ${command}`);
  measured.events.push({ atUs: nowUs(), kind: 'deploy-begin', source: 'deployer', restart: 1, detail: command });
  // What it prints goes where progress goes: stdout is for results.
  const {
    exitCode,
    signal: killedBy,
    failed,
    shortMessage,
  } = await execa(command, {
    shell: true,
    reject: false,
    stdin: 'ignore',
    stdout: 2,
    stderr: 2,
    cancelSignal: signal,
  });
  const endUs = nowUs();
  measured.events.push({
    atUs: endUs,
    kind: 'deploy-end',
    source: 'deployer',
    restart: 1,
    detail: `status ${exitCode ?? killedBy}`,
  });
  if (failed && !isCut()) {
    measured.troubles.push(
      exitCode === undefined
        ? `The command failed: ${shortMessage}`
        : `The command failed with status ${exitCode}: what was measured is not the deploy that was meant.`,
    );
  }
  onNote?.(`the command ended with status ${exitCode ?? killedBy}; waiting until the service is steady`);
  const giveUpUs = endUs + settleTimeoutMs * 1000;
  while (!isCut() && (nowUs() < durationMs * 1000 || !steadiness.isSteadySince(endUs))) {
    if (nowUs() > Math.max(giveUpUs, durationMs * 1000)) {
      onNote?.(`not steady for ${settleMs} ms within ${settleTimeoutMs} ms: the load ends all the same`);
      return;
    }
    await wait(100);
  }
}
