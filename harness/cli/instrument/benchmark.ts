/** `bench`: how fast, how punctual and how frugal the instrument is, beside its peers, interleaved in one run. */
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import {
  benchRun,
  isHeld,
  startArrivalServer,
  type ArrivalServer,
  type BenchLoad,
  type BenchRun,
  type Tool,
} from '../../calibration/bench-runs.ts';
import { benchRecompute, recomputeTarget, type RecomputeRun } from '../../calibration/bench-recompute.ts';
import { isInstalled, peerNames, versionOf } from '../../calibration/peers.ts';
import { exitCodes } from '../../base/errors.ts';
import { tableOf } from '../../report/format.ts';
import { newRunId } from '../../run/run-folder.ts';
import type { Context } from '../context.ts';
import { pathText } from '../print/path.ts';
import { wholeNumber } from '../options/option-values.ts';
import { jsonFile, writeSeriesFolder } from '../runs/series-folder.ts';
import { requireWritable } from '../runs/writable-folder.ts';

/** Options as they are typed. */
export interface BenchmarkOptions {
  readonly rounds?: string;
  readonly out?: string;
}

const lagRates = [100, 1_000, 5_000];
const lagDurationMs = 5_000;
const longRates = [100, 1_000];
const longDurationMs = 30_000;
const ladderDurationMs = 3_000;
const ladders = {
  kept: [4_000, 8_000, 12_000, 16_000, 20_000, 24_000, 28_000, 32_000],
  new: [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000],
} as const;
const million: BenchLoad = { ratePerSecond: 10_000, durationMs: 100_000, connections: 'kept' };

const millionRows = 1_000_000;

/** Runs everything; prints and writes a table. Figures are for comparison within the run, so no figure fails it. */
export async function runBenchmark(context: Context, options: BenchmarkOptions): Promise<number> {
  const rounds = wholeNumber('--rounds', options.rounds ?? '3', 1, 20);
  const reports = join(resolve(options.out ?? join(context.projectFolder, 'reports')), 'bench');
  await requireWritable(reports);
  const peers = peerNames.filter(isInstalled);
  const paced: Tool[] = ['ours', ...peers.filter((peer) => peer === 'vegeta' || peer === 'oha')];
  const bursty: Tool[] = peers.filter((peer) => peer === 'autocannon');
  const server = await startArrivalServer();
  const bench = new Bench(context, server);
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const ratePerSecond of lagRates) {
        for (const tool of rotated(ratePerSecond === 5_000 ? paced : [...paced, ...bursty], round)) {
          await bench.lag(tool, { ratePerSecond, durationMs: lagDurationMs, connections: 'kept' }, round);
        }
      }
      for (const connections of ['kept', 'new'] as const) {
        // Who comes first finds the machine quietest: each in its turn.
        for (const tool of rotated(paced, round)) await bench.climb(tool, connections, round);
      }
    }
    for (const ratePerSecond of longRates) {
      await bench.lag('ours', { ratePerSecond, durationMs: longDurationMs, connections: 'kept' }, 1);
    }
    const memory = await benchRun('ours', million, server);
    const recomputed = await benchRecompute(millionRows, rounds, (text) => {
      context.signal.throwIfAborted();
      context.stderr(`${text}\n`);
    });
    const versions = await Promise.all(peers.map(async (peer) => `${peer} ${await versionOf(peer)}`));
    const text = [
      `Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}; ` +
        `${versions.join(', ')}; ${rounds} rounds, interleaved; medians, and in brackets the least and the greatest.`,
      bench.lagTable(),
      bench.ladderTable(paced),
      `A million requests (${million.ratePerSecond} a second, kept connections, the whole ledger written): ` +
        `${memory.arrived} arrived, peak resident memory ${memory.peakMiB?.toFixed(0) ?? '?'} MiB, ` +
        `${memory.cpuPercent.toFixed(0)} % of a core.`,
      recomputeTable(recomputed),
    ].join('\n\n');
    const id = newRunId(new Date());
    const figures = { lags: bench.lags, held: bench.held, recomputed };
    const files = { 'bench.md': `# Bench ${id}\n\n${text}\n`, 'bench.json': jsonFile(figures) };
    const folder = await writeSeriesFolder(reports, files, id);
    context.stdout(`${text}\n\ntable: ${pathText(join(folder, 'bench.md'))}\n`);
    return exitCodes.pass;
  } finally {
    server.close();
  }
}

interface Lag {
  readonly tool: Tool;
  readonly load: BenchLoad;
  readonly run: BenchRun;
}

/** The runs of one benchmark, and the tables made of them. */
class Bench {
  readonly lags: Lag[] = [];
  readonly held: { tool: Tool; connections: 'kept' | 'new'; rate: number }[] = [];
  private readonly context: Context;
  private readonly server: ArrivalServer;

  constructor(context: Context, server: ArrivalServer) {
    this.context = context;
    this.server = server;
  }

  async lag(tool: Tool, load: BenchLoad, round: number): Promise<void> {
    const run = await this.run(tool, load, round);
    this.lags.push({ tool, load, run });
  }

  /** Climbs the ladder until a rate is not held, twice: a single slip is the machine's. */
  async climb(tool: Tool, connections: 'kept' | 'new', round: number): Promise<void> {
    let rate = 0;
    for (const ratePerSecond of ladders[connections]) {
      const load = { ratePerSecond, durationMs: ladderDurationMs, connections };
      const isStepHeld =
        isHeld(await this.run(tool, load, round), load) || isHeld(await this.run(tool, load, round), load);
      if (!isStepHeld) break;
      rate = ratePerSecond;
    }
    this.held.push({ tool, connections, rate });
  }

  private async run(tool: Tool, load: BenchLoad, round: number): Promise<BenchRun> {
    this.context.signal.throwIfAborted();
    this.context.stderr(`round ${round}  ${tool}  ${load.ratePerSecond}/s  ${load.connections}\n`);
    return await benchRun(tool, load, this.server);
  }

  lagTable(): string {
    const rows = [
      ...Map.groupBy(this.lags, ({ load, tool }) => `${load.ratePerSecond} ${load.durationMs} ${tool}`).values(),
    ];
    const load = ([first]: Lag[]): BenchLoad => first?.load ?? million;
    const of = (figure: (run: BenchRun) => number, digits: number) => (lags: Lag[]) =>
      spread(
        lags.map(({ run }) => figure(run)),
        digits,
      );
    rows.sort((a, b) => load(a).ratePerSecond - load(b).ratePerSecond);
    return tableOf(rows, [
      ['load', (lags) => `${load(lags).ratePerSecond}/s, ${load(lags).durationMs / 1000} s`],
      ['tool', ([first]) => first?.tool ?? ''],
      ['lag p50, ms', of((run) => run.lagP50Ms, 2)],
      ['lag p99, ms', of((run) => run.lagP99Ms, 2)],
      ['lag max, ms', of((run) => run.lagMaxMs, 1)],
      ['achieved/s', of((run) => run.achievedRate, 1)],
      ['CPU, % of a core', of((run) => run.cpuPercent, 0)],
    ]);
  }

  ladderTable(tools: readonly Tool[]): string {
    const highest = (kind: 'kept' | 'new') => (tool: Tool) =>
      spread(
        this.held.flatMap((step) => (step.tool === tool && step.connections === kind ? step.rate : [])),
        0,
      );
    return tableOf(tools, [
      ['tool', (tool) => tool],
      ['highest rate held, kept', highest('kept')],
      ['highest rate held, new', highest('new')],
    ]);
  }
}

/** Verdict and report of a million rows, each by its own command, beside the project's targets. */
function recomputeTable(runs: readonly RecomputeRun[]): string {
  const rows = [...Map.groupBy(runs, ({ shape, step }) => `${shape} ${step}`).values()];
  const of = (figure: (run: RecomputeRun) => number, digits: number) => (same: RecomputeRun[]) =>
    spread(same.map(figure), digits);
  const { seconds, peakMiB } = recomputeTarget;
  const table = tableOf(rows, [
    ['run', ([first]) => (first?.shape === 'waits' ? 'E5: waits, and no drop' : 'E1: one in five dropped')],
    ['command', ([first]) => first?.step ?? ''],
    [`time, s (target ${seconds})`, of((run) => run.wallSeconds, 1)],
    ['CPU, s', of((run) => run.cpuSeconds, 1)],
    [`peak memory, MiB (target ${peakMiB})`, of((run) => run.peakMiB, 0)],
  ]);
  return `A made-up run of a million rows and a hundred restarts:\n\n${table}`;
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const cut = by % all.length;
  return [...all.slice(cut), ...all.slice(0, cut)];
}

/** Median, and least and greatest where there are several. */
function spread(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  if (sorted.length < 2) return median.toFixed(digits);
  return `${median.toFixed(digits)} (${sorted[0]?.toFixed(digits)}–${sorted.at(-1)?.toFixed(digits)})`;
}
