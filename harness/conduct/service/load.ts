/** The load on a service, and what runs beside it, from the first slot to the last outcome. */
import { availableParallelism } from 'node:os';
import { messageOf } from '../../base/errors.ts';
import { monotonicUs } from '../../base/clock.ts';
import { threadsFor, type LoadCommand, type LoadMessage, type LoadPlan } from '../../in-lab/plan.ts';
import { spawnGenerator } from '../../in-lab/spawn.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import { deployUnderLoad, type Deployed, type MeasureTimes } from './deploy.ts';
import type { Due, RunFiles } from './run-files.ts';
import { Steadiness } from './steadiness.ts';
import type { Target } from './target.ts';
import { slotCount } from '../../experiment/load-schedule.ts';

type Counts = Extract<LoadMessage, { kind: 'progress' | 'done' }>;

/** What a load needs beside the service. */
export interface LoadSetting {
  readonly seed: number;
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Run the command although the service fails before it. */
  readonly evenIfFailing?: boolean;
  readonly onCounts?: (counts: Counts, total: number | null) => void;
  readonly onNote?: (text: string) => void;
  /** Takes what the command prints. */
  readonly onOutput?: (text: string) => void;
}

/** What a load came to. */
export interface Loaded {
  /** What goes into run.json of it. */
  readonly known: Partial<ServiceRun>;
  readonly due: Due;
}

/** How long a generator that was told to stop may take. */
const stopDeadlineMs = 3_000;
/** Room beyond the longest course of a deploy, whose end is the load's. */
const spareMs = 60_000;

/** One load. */
export class Load {
  private readonly target: Target;
  private readonly times: MeasureTimes;
  private readonly setting: LoadSetting;
  private readonly files: RunFiles;
  private readonly plan: LoadPlan;
  private readonly generator = spawnGenerator();
  private readonly steadiness: Steadiness;
  /** Aborted when the run is cut short, or the generator has ended. */
  private readonly over = new AbortController();
  /** null while nobody knows. */
  private readonly total: number | null;
  private settled = 0;
  private due: Due = { due: 0, isKnown: false };
  private aborted: string | null = null;
  private known: Partial<ServiceRun> = {};
  private wallMinusMonotonicUs = 0;
  private deploy: Promise<void> | null = null;
  private killing: NodeJS.Timeout | undefined;

  constructor(target: Target, times: MeasureTimes, setting: LoadSetting, files: RunFiles) {
    this.target = target;
    this.times = times;
    this.setting = setting;
    this.files = files;
    this.plan = planOf(target, times, setting, files.rawLedger);
    this.steadiness = new Steadiness(times.settleMs);
    this.total = target.command === null ? slotCount(this.plan.ratePerSecond, this.plan.durationMs) : null;
  }

  /** Resolves when every request has its outcome, or will have none. */
  async run(): Promise<Loaded> {
    const { signal } = this.setting;
    const cut = (): void => this.cutShort(`The run was cut short (${String(signal.reason)}).`);
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    try {
      this.say(this.plan);
      for await (const line of this.generator.lines) {
        await this.hear(JSON.parse(line) as LoadMessage);
        if (this.due.isKnown) break;
      }
    } finally {
      signal.removeEventListener('abort', cut);
      this.over.abort();
      clearTimeout(this.killing);
      this.generator.close();
      await this.deploy;
    }
    if (!this.due.isKnown)
      this.aborted ??= `The load generator ended without a word. ${this.generator.stderr()}`.trim();
    return { known: { ...this.known, aborted: this.aborted }, due: this.due };
  }

  private async hear(message: LoadMessage): Promise<void> {
    const { onCounts } = this.setting;
    switch (message.kind) {
      case 'primed':
        this.say({ kind: this.aborted === null ? 'go' : 'stop' });
        return;
      case 'origin':
        await this.begin(message);
        return;
      case 'progress':
        this.settled = message.settled;
        this.due = { due: message.due, isKnown: false };
        this.steadiness.add(message.atUs, message);
        onCounts?.(message, this.total);
        if (this.aborted === null && (await this.files.isNearlyFull())) {
          this.cutShort(`The run was cut short: the disk of ${this.files.folder} is full.`);
        }
        return;
      case 'done':
        onCounts?.(message, this.total);
        this.due = { due: message.due, isKnown: true };
        this.known = {
          ...this.known,
          unfinished: message.unfinished,
          wallOffsetUs: [this.wallMinusMonotonicUs, message.clock.wallUs - message.clock.monotonicUs],
        };
        return;
      case 'unprimed':
        // It is asked to write no notes.
        return;
      case 'error':
        this.aborted ??= `The load generator failed: ${message.message.replace(/\.$/u, '')}.`;
    }
  }

  private async begin({ originUs, clock }: Extract<LoadMessage, { kind: 'origin' }>): Promise<void> {
    this.wallMinusMonotonicUs = clock.wallUs - clock.monotonicUs;
    this.known = { originMonotonicUs: originUs };
    // The deploy's clock must not wait for the disk.
    if (this.target.command !== null) this.deploy = this.deployBeside(originUs);
    await this.files.addEvent({ atUs: 0, kind: 'load-begin', restart: 0 });
    await this.files.know({ originMonotonicUs: originUs });
  }

  private async deployBeside(originUs: number): Promise<void> {
    const { target, times, files, steadiness } = this;
    const { evenIfFailing = false, onNote, onOutput } = this.setting;
    try {
      const { known, cutShort }: Deployed = await deployUnderLoad({
        ...{ target, times, files, steadiness, evenIfFailing },
        settled: () => this.settled,
        nowUs: () => monotonicUs() - originUs,
        signal: this.over.signal,
        onNote: onNote ?? (() => undefined),
        onOutput: onOutput ?? (() => undefined),
      });
      this.known = { ...this.known, ...known };
      if (cutShort === null) this.say({ kind: 'finish' });
      else this.cutShort(cutShort);
    } catch (error) {
      this.cutShort(`The run failed: ${messageOf(error).replace(/\.$/u, '')}.`);
    }
  }

  /** No further request is sent; those under way have two seconds. */
  private cutShort(why: string): void {
    this.aborted ??= why;
    this.over.abort();
    this.say({ kind: 'stop' });
    this.killing ??= setTimeout(() => this.generator.kill(), stopDeadlineMs);
  }

  private say(words: LoadCommand | LoadPlan): void {
    this.generator.say(JSON.stringify(words));
  }
}

function planOf({ service, request }: Target, times: MeasureTimes, setting: LoadSetting, path: string): LoadPlan {
  const isOwnHost = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'host';
  const { method, expectedStatus, ratePerSecond, connections } = service;
  const deployMs = times.leadMs + service.timeoutMs + times.whileTimeoutMs + times.settleTimeoutMs + spareMs;
  return {
    runId: setting.runId,
    trial: 1,
    seed: setting.seed,
    host: service.address,
    port: service.port,
    hostHeader: request.headers.findLast(isOwnHost)?.[1] ?? service.address,
    ratePerSecond,
    durationMs: service.whileCommand === null ? times.durationMs : times.durationMs + deployMs,
    mix: [
      {
        method,
        path: service.path,
        weight: 1,
        fixed: {
          target: request.target,
          headers: request.headers.filter((header) => !isOwnHost(header)),
          bodyBase64: request.body?.toString('base64') ?? null,
          expectedStatus,
        },
      },
    ],
    connections,
    deadlineMs: service.timeoutMs,
    maxConnections: service.maxConnections,
    maxHeadBytes: service.maxHeadBytes,
    maxAnswerBytes: service.maxAnswerBytes,
    primedNotes: 0,
    ledgerPath: path,
    threads: threadsFor(ratePerSecond, connections, availableParallelism()),
  };
}
