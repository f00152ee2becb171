/** Single runs of a benchmark: a tool, a rate, and what the server saw of it. */
import { readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { scratchFolder } from '../base/scratch-folder.ts';
import { answerLimits, threadsFor, type LoadMessage, type LoadPlan, type TlsPlan } from '../in-lab/load/plan.ts';
import { generatorEnvironment, generatorFlags, generatorPath } from '../in-lab/load/spawn.ts';
import type { ArrivalServer, ArrivalSummary, Protocol } from './arrivals.ts';
import { peerCommand, type PeerName } from './peers.ts';
import { slotCount } from '../experiment/load-schedule.ts';

/** What is benched: this project's generator, or a peer. */
export type Tool = 'ours' | PeerName;

/** One load. */
export interface BenchLoad {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly connections: 'kept' | 'new';
  readonly protocol: Protocol;
}

/** What a run came to. */
export interface BenchRun extends ArrivalSummary {
  readonly slots: number;
  /** CPU time of the tool, start-up included, as a share of one core over the load's length. */
  readonly cpuPercent: number;
  /** Peak resident memory; of this project's generator only. */
  readonly peakMiB: number | null;
}

/** The server's certificate is its own: every tool accepts it unseen. */
const anyCertificate: TlsPlan = {
  serverName: '127.0.0.1',
  ca: null,
  isInsecure: true,
  cert: null,
  key: null,
  resumes: false,
};

/** The time that a request has. */
const timeoutMs = 30_000;
/** Below so many connections in TIME_WAIT, local ports are no concern. */
const fewTimeWait = 5_000;

/**
 * vegeta binds each connection to an address first, and the kernel then does not reuse ports in TIME_WAIT (60 s): after
 * another tool's new connections it would have none. It is the only one that has to wait.
 */
async function portsFree(): Promise<void> {
  for (let waited = 0; waited < 65; waited++) {
    const sockets = await readFile('/proc/net/sockstat', 'utf8').catch(() => '');
    if (Number(/ tw (\d+)/u.exec(sockets)?.[1] ?? 0) < fewTimeWait) return;
    await sleep(1_000);
  }
}

/** Runs a tool against the server. */
export async function benchRun(tool: Tool, load: BenchLoad, server: ArrivalServer): Promise<BenchRun> {
  if (tool === 'vegeta') await portsFree();
  const used = tool === 'ours' ? await runOurs(load, server.port) : await runPeer(tool, load, server.port);
  const summary = server.summary(load.ratePerSecond);
  return {
    ...summary,
    slots: slotCount(load.ratePerSecond, load.durationMs),
    cpuPercent: (100_000 * used.cpuSeconds) / load.durationMs,
    peakMiB: used.peakMiB,
  };
}

/** Was the rate held: 99 % of the slots arrived, at 99 % of the rate? */
export function isHeld(run: BenchRun, load: BenchLoad): boolean {
  return run.arrived >= 0.99 * run.slots && run.achievedRate >= 0.99 * load.ratePerSecond;
}

interface Used {
  readonly cpuSeconds: number;
  readonly peakMiB: number | null;
}

/** Has the shell tell what its children used: `times` prints that on its second line. */
const timed = ['-c', '"$0" "$@"; code=$?; times >&2; exit $code'];

async function runOurs(load: BenchLoad, port: number): Promise<Used> {
  const folder = await scratchFolder('bench');
  try {
    const plan: LoadPlan = {
      runId: 'bench',
      trial: 1,
      seed: 1,
      host: '127.0.0.1',
      port,
      hostHeaders: ['127.0.0.1'],
      ...load,
      mix: [{ method: 'GET', path: '/', weight: 1, fixed: { headers: [], bodyBase64: null, expectedStatus: null } }],
      deadlineMs: timeoutMs,
      maxConnections: load.connections === 'kept' ? 128 : 1_000,
      ...answerLimits,
      tls: load.protocol === 'http' ? null : anyCertificate,
      ...(load.protocol === 'h2' && { http: '2' as const }),
      primedNotes: 0,
      ledgerPath: join(folder, 'ledger.ndjson'),
      threads: threadsFor(load.ratePerSecond, load.connections, availableParallelism(), {
        isSecure: load.protocol !== 'http',
        http: load.protocol === 'h2' ? '2' : undefined,
      }),
    };
    const child = execa('bash', [...timed, process.execPath, ...generatorFlags, generatorPath], {
      env: generatorEnvironment(),
      stdin: 'pipe',
    });
    // Its input stays open: a generator whose input ends breaks the load off.
    child.stdin.write(`${JSON.stringify(plan)}\n{"kind":"go"}\n`);
    const { stdout, stderr } = await child;
    const said = stdout.split('\n').map((line) => JSON.parse(line) as LoadMessage);
    const done = said.find((message) => message.kind === 'done');
    if (done === undefined) throw new Error(`the load generator ended before its load did: ${stdout} ${stderr}`);
    return { cpuSeconds: childSeconds(stderr), peakMiB: done.peakRssKiB / 1024 };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runPeer(peer: PeerName, load: BenchLoad, port: number): Promise<Used> {
  const url = `${load.protocol === 'http' ? 'http' : 'https'}://127.0.0.1:${port}/`;
  const { words, ...given } = peerCommand(peer, { url, method: 'GET', body: null, timeoutMs, ...load });
  const { stderr } = await execa('bash', [...timed, ...words], { input: '', ...given, stdout: 'ignore' });
  return { cpuSeconds: childSeconds(stderr), peakMiB: null };
}

/** User and system time of the second line that `times` prints: `0m1.200s 0m0.400s`. */
function childSeconds(stderr: string): number {
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  return [...line.matchAll(/(\d+)m([\d.]+)s/gu)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
}
