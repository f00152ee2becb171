/** The measurement of a service that the user runs: load, the command under it, and the files of a run like any other. */
import { availableParallelism, cpus, release } from 'node:os';
import { messageOf } from '../../base/errors.ts';
import { monotonicUs } from '../../base/clock.ts';
import { slotCount } from '../../experiment/load-schedule.ts';
import { noCounts, threadsFor, type LoadPlan, type PlanMixEntry } from '../../in-lab/load/plan.ts';
import { spawnGenerator } from '../../in-lab/load/spawn.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import type { Progress } from '../audience.ts';
import { newRecord } from '../run-writer.ts';
import { Generator, type LoadOrigin, type LoadProgress } from '../generator.ts';
import { whyNoneIsOk } from './answers-before.ts';
import { deployUnderLoad } from './deploy-series.ts';
import { loadBoundMs, type MeasureTimes } from './deploy-times.ts';
import { ServiceFiles } from './service-files.ts';
import { Steadiness } from './steadiness.ts';
import type { Target } from './target.ts';
import { openWitnesses, type ServiceWitnesses } from './witnesses.ts';

/** What a measurement needs beside the service. */
export interface MeasureSetting {
  readonly runId: string;
  readonly seed: number;
  /** The run's own folder; it is made. */
  readonly folder: string;
  readonly command: string;
  readonly signal: AbortSignal;
  readonly evenIfFailing?: boolean;
  readonly progress?: Pick<Progress, 'counts' | 'note'>;
  readonly onOutput?: (text: string) => void;
}

/** How often the name of the service is looked up again: new connections follow it about as fast. */
const lookUpEveryMs = 1_000;

/** Without a command, the reason why no answer is ok is looked for in the rows of so long: there are few. */
const firstLookUs = 2_000_000;

/** The load ends when the disk has no room left for the rows of this time, in which a generator that is told to stop ends. */
const roomSeconds = 3;

/**
 * Measures, and writes run.json, timeline and ledger. Once the load has begun, whatever is recorded is kept; before that,
 * an error leaves nothing.
 */
export async function measureService(target: Target, times: MeasureTimes, setting: MeasureSetting): Promise<void> {
  const witnesses = await openWitnesses(target, setting.runId);
  try {
    const files = await ServiceFiles.begin(setting.folder, recordOf(target, setting));
    try {
      await witnesses.begin(setting.folder);
      await new Measurement({ target, times, setting, files, witnesses }).run();
    } catch (error) {
      if (files.writer.record.originMonotonicUs === null) await files.writer.discard();
      throw error;
    } finally {
      await files.writer.release();
    }
  } finally {
    await witnesses.close();
  }
}

interface Means {
  readonly target: Target;
  readonly times: MeasureTimes;
  readonly setting: MeasureSetting;
  readonly files: ServiceFiles;
  readonly witnesses: ServiceWitnesses;
}

/** One load, and the deploys beside it. */
class Measurement {
  private readonly means: Means;
  private readonly generator: Generator;
  private readonly steadiness: Steadiness;
  /** Aborted when the run is cut short, or the load has ended. */
  private readonly over = new AbortController();
  /** Slots in all; null where the command's end decides. */
  private readonly total: number | null;
  private counts: LoadProgress | null = null;
  /** The deploys; without a command the look at the first answers. */
  private deploy: Promise<void> = Promise.resolve();
  private hasLooked = false;

  constructor(means: Means) {
    this.means = means;
    const plan = planOf(means);
    this.generator = new Generator(spawnGenerator(), plan);
    this.steadiness = new Steadiness(means.times.settleMs);
    this.total = means.target.command === null ? slotCount(plan.ratePerSecond, plan.durationMs) : null;
  }

  async run(): Promise<void> {
    const { generator } = this;
    const { files, witnesses, setting } = this.means;
    const { signal } = setting;
    const cut = (): void => this.cutShort(`The run was cut short (${String(signal.reason)}).`);
    try {
      await generator.ready();
      signal.throwIfAborted();
      signal.addEventListener('abort', cut, { once: true });
      const end = await generator.run({
        began: (origin) => this.begin(origin),
        progress: (counts) => this.hear(counts),
      });
      this.over.abort();
      const { aborted, wallOffsetUs, done } = end;
      await this.deploy;
      await witnesses.end(files, done ?? this.counts ?? noCounts(), signal);
      const held = done?.held === undefined ? {} : { held: done.held };
      const known = { aborted, wallOffsetUs, unfinished: done?.unfinished ?? 0, ...held };
      await files.end(known, { due: (done ?? this.counts)?.due ?? 0, isKnown: done !== null });
    } finally {
      signal.removeEventListener('abort', cut);
      this.over.abort();
      generator.close();
      await this.deploy;
    }
  }

  private async begin({ originUs }: LoadOrigin): Promise<void> {
    const { target, files } = this.means;
    // The deploy's clock must not wait for the disk.
    if (target.command !== null) this.deploy = this.deployBeside(originUs);
    await files.addEvent({ atUs: 0, kind: 'load-begin', restart: 0 });
    await files.writer.know({ originMonotonicUs: originUs });
  }

  private async hear(counts: LoadProgress): Promise<void> {
    const { target, setting, files } = this.means;
    this.counts = counts;
    setting.progress?.counts(counts, this.total);
    this.lookAtFirst(counts);
    if (counts.kind === 'done') return;
    this.steadiness.add(counts.atUs, counts);
    const { writer } = files;
    if (!(await writer.isNearlyFull(target.service.ratePerSecond, roomSeconds))) return;
    this.cutShort(`The run was cut short: the disk of ${writer.folder} is full.`);
  }

  private lookAtFirst({ dropped, due, ok }: LoadProgress): void {
    const { target, files } = this.means;
    const isEarly = due <= (target.service.ratePerSecond * firstLookUs) / 1e6;
    if (target.command !== null || dropped === 0 || ok > 0 || this.hasLooked || !isEarly) return;
    this.hasLooked = true;
    this.deploy = whyNoneIsOk(files.rawLedger, target)
      .then(async (sentence) => {
        if (sentence === null) this.hasLooked = false;
        else await files.note(sentence);
      })
      // The counts are whole without it.
      .catch(() => undefined);
  }

  private async deployBeside(originUs: number): Promise<void> {
    const { target, times, files, setting } = this.means;
    const { seed, evenIfFailing = false, progress, onOutput = () => undefined } = setting;
    try {
      const cutShort = await deployUnderLoad({
        ...{ target, times, seed, files, steadiness: this.steadiness, evenIfFailing, onOutput },
        settled: () => this.counts?.settled ?? 0,
        nowUs: () => monotonicUs() - originUs,
        signal: this.over.signal,
        onNote: (text) => progress?.note(text),
      });
      if (cutShort === null) this.generator.finish();
      else this.cutShort(cutShort);
    } catch (error) {
      this.cutShort(`The run failed: ${messageOf(error).replace(/\.$/u, '')}.`);
    }
  }

  private cutShort(why: string): void {
    this.over.abort();
    this.generator.stop(why);
  }
}

function recordOf({ service }: Target, { runId, seed, command }: MeasureSetting): ServiceRun {
  const fingerprint = {
    node: process.version,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: String(cpus().length),
  };
  return {
    kind: 'measure',
    ...newRecord({ runId, seed, command, fingerprint }),
    service,
    before: null,
    commandRun: false,
    shell: null,
    listeners: null,
    underWay: null,
    notes: [],
  };
}

function planOf({ target, times, setting, files }: Means): LoadPlan {
  const { service, request } = target;
  const { ratePerSecond, connections, hold } = service;
  return {
    runId: setting.runId,
    trial: 1,
    seed: setting.seed,
    host: service.address,
    port: service.port,
    lookUp: request.name === null ? null : { name: request.name, everyMs: lookUpEveryMs },
    tls: request.tls,
    ...(service.http !== undefined && { http: service.http }),
    hostHeaders: [request.headers.findLast(isOwnHost)?.[1] ?? 'localhost'],
    ratePerSecond,
    durationMs: service.whileCommand === null ? times.durationMs : loadBoundMs(service, times),
    mix: request.mix ?? [singleOf(service, request)],
    connections,
    deadlineMs: service.timeoutMs,
    maxConnections: service.maxConnections,
    maxHeadBytes: service.maxHeadBytes,
    maxAnswerBytes: service.maxAnswerBytes,
    primedNotes: 0,
    ledgerPath: files.rawLedger,
    threads: threadsFor(ratePerSecond, connections, availableParallelism(), {
      isSecure: request.tls !== null,
      http: service.http,
    }),
    ...(hold !== undefined && {
      hold: {
        ...{ kind: hold.kind, count: hold.count, path: files.rawHolds },
        target: request.holdTarget ?? request.target,
        headers: request.headers.filter((header) => !isOwnHost(header)),
      },
    }),
  };
}

function singleOf({ method, path, expectedStatus }: Target['service'], request: Target['request']): PlanMixEntry {
  const fixed = {
    target: request.target,
    headers: request.headers.filter((header) => !isOwnHost(header)),
    bodyBase64: request.body?.toString('base64') ?? null,
    expectedStatus,
  };
  return { method: method ?? 'GET', path, weight: 1, fixed };
}

function isOwnHost([name]: readonly [string, string]): boolean {
  return name.toLowerCase() === 'host';
}
