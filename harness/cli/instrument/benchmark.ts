/** `bench`: how fast, how punctual and how frugal the instrument is, beside its peers, interleaved in one run. */
import { exitCodes } from '../../base/errors.ts';
import { startArrivalServer, type ArrivalServer, type Protocol } from '../../calibration/arrivals.ts';
import { benchRecompute, recomputeTarget, type RecomputeRun } from '../../calibration/bench-recompute.ts';
import { benchRun, isHeld, type BenchLoad, type BenchRun, type Tool } from '../../calibration/bench-runs.ts';
import { installedPeers, versionOf } from '../../calibration/peers.ts';
import { tableOf } from '../../report/format.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../options/option-values.ts';
import { tablesFolder, type TablesOptions } from './tables.ts';

/** A server that speaks TLS in the same process as this takes too much of the machine at 5000 a second. */
const lagRates = { http: [100, 1_000, 5_000], https: [100, 1_000], h2: [100, 1_000] } as const;
const protocols = ['http', 'https', 'h2'] as const satisfies readonly Protocol[];
const lagDurationMs = 5_000;
const longRates = [100, 1_000];
const longDurationMs = 30_000;
const ladderDurationMs = 3_000;
const ladders = {
  kept: [4_000, 8_000, 12_000, 16_000, 20_000, 24_000, 28_000, 32_000],
  new: [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000],
} as const;
const million: BenchLoad = { ratePerSecond: 10_000, durationMs: 100_000, connections: 'kept', protocol: 'http' };
const millionRows = 1_000_000;

/** One run for the table of lags. */
interface Lag {
  readonly tool: Tool;
  readonly load: BenchLoad;
  readonly run: BenchRun;
}

/** The highest rate that a tool held in one round. */
interface Held {
  readonly tool: Tool;
  readonly connections: 'kept' | 'new';
  readonly rate: number;
}

/** Runs everything; prints and writes the tables. Figures are for comparison within the run, so no figure fails it. */
export async function runBenchmark(
  context: Context,
  { rounds: typed = '3', ...options }: TablesOptions & { readonly rounds?: string },
): Promise<number> {
  const rounds = wholeNumber('--rounds', typed, 1, 20);
  const tables = await tablesFolder(context, 'benchmark', options);
  const present = new Map(protocols.map((protocol) => [protocol, installedPeers(protocol).present]));
  // Its load is bursty: its lag is shown, and it climbs no ladder.
  const paced = (protocol: Protocol): Tool[] => [
    'ours',
    ...(present.get(protocol) ?? []).filter((peer) => peer !== 'autocannon' && peer !== 'wrk'),
  ];
  const [plain, secure, http2] = await Promise.all(protocols.map((protocol) => startArrivalServer(protocol)));
  const servers = { http: plain, https: secure, h2: http2 } as Record<Protocol, ArrivalServer>;
  const say = (text: string): void => {
    context.signal.throwIfAborted();
    context.stderr(`${text}\n`);
  };
  const run = async (tool: Tool, load: BenchLoad, round: number): Promise<BenchRun> => {
    say(`round ${round}  ${tool}  ${load.protocol}  ${load.ratePerSecond}/s  ${load.connections}`);
    return await benchRun(tool, load, servers[load.protocol]);
  };
  const lags: Lag[] = [];
  const held: Held[] = [];
  const lag = async (tool: Tool, load: Omit<BenchLoad, 'connections'>, round: number): Promise<void> => {
    const kept = { ...load, connections: 'kept' } as const;
    lags.push({ tool, load: kept, run: await run(tool, kept, round) });
  };
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const protocol of protocols) {
        for (const ratePerSecond of lagRates[protocol]) {
          const isBurstShown = protocol === 'http' && ratePerSecond < 5_000;
          const tools = isBurstShown ? [...paced(protocol), 'autocannon' as const] : paced(protocol);
          for (const tool of rotated(tools, round)) {
            await lag(tool, { ratePerSecond, durationMs: lagDurationMs, protocol }, round);
          }
        }
      }
      for (const connections of ['kept', 'new'] as const) {
        // Who comes first finds the machine quietest: each in its turn.
        for (const tool of rotated(paced('http'), round)) {
          const rate = await highestHeld(connections, (load) => run(tool, load, round));
          held.push({ tool, connections, rate });
        }
      }
    }
    for (const ratePerSecond of longRates) {
      await lag('ours', { ratePerSecond, durationMs: longDurationMs, protocol: 'http' }, 1);
    }
    const memory = await run('ours', million, 1);
    const recomputed = await benchRecompute(millionRows, rounds, say);
    const versions = await Promise.all([...new Set([...present.values()].flat())].map(versionOf));
    const text = [
      `${versions.join(', ')}; ${rounds} rounds, interleaved; medians, and in brackets the least and the greatest.`,
      lagTable(lags),
      ladderTable(held, paced('http')),
      `A million requests (${million.ratePerSecond} a second, kept connections, the whole ledger written): ` +
        `${memory.arrived} arrived, peak resident memory ${memory.peakMiB?.toFixed(0) ?? '?'} MiB, ` +
        `${memory.cpuPercent.toFixed(0)} % of a core.`,
      recomputeTable(recomputed),
    ].join('\n\n');
    context.stdout(`${text}\n\n${await tables.write(text, { lags, held, memory, recomputed })}`);
    return exitCodes.pass;
  } finally {
    for (const server of Object.values(servers)) server.close();
  }
}

/** Climbs the ladder until a rate is not held, twice: a single slip is the machine's. */
async function highestHeld(connections: 'kept' | 'new', run: (load: BenchLoad) => Promise<BenchRun>): Promise<number> {
  let highest = 0;
  for (const ratePerSecond of ladders[connections]) {
    const load = { ratePerSecond, durationMs: ladderDurationMs, connections, protocol: 'http' } as const;
    if (!isHeld(await run(load), load) && !isHeld(await run(load), load)) break;
    highest = ratePerSecond;
  }
  return highest;
}

function lagTable(lags: readonly Lag[]): string {
  const groups = Map.groupBy(
    lags,
    ({ load, tool }) => `${load.protocol} ${load.ratePerSecond} ${load.durationMs} ${tool}`,
  );
  const loadOf = ([first]: Lag[]): BenchLoad => first?.load ?? million;
  const order = (same: Lag[]): number => protocols.indexOf(loadOf(same).protocol) * 1e6 + loadOf(same).ratePerSecond;
  const rows = [...groups.values()].sort((a, b) => order(a) - order(b));
  const of = (figure: (run: BenchRun) => number, digits: number) => (same: Lag[]) =>
    spread(same, ({ run }) => figure(run), digits);
  return tableOf(rows, [
    [
      'load',
      (same) => `${loadOf(same).protocol}, ${loadOf(same).ratePerSecond}/s, ${loadOf(same).durationMs / 1000} s`,
    ],
    ['tool', ([first]) => first?.tool ?? ''],
    ['lag p50, ms', of((run) => run.lagP50Ms, 2)],
    ['lag p99, ms', of((run) => run.lagP99Ms, 2)],
    ['lag max, ms', of((run) => run.lagMaxMs, 1)],
    ['achieved/s', of((run) => run.achievedRate, 1)],
    ['CPU, % of a core', of((run) => run.cpuPercent, 0)],
  ]);
}

function ladderTable(held: readonly Held[], tools: readonly Tool[]): string {
  const highest = (kind: 'kept' | 'new') => (tool: Tool) => {
    const steps = held.filter((step) => step.tool === tool && step.connections === kind);
    return spread(steps, ({ rate }) => rate, 0);
  };
  return tableOf(tools, [
    ['tool', (tool) => tool],
    ['highest rate held, kept', highest('kept')],
    ['highest rate held, new', highest('new')],
  ]);
}

/** Verdict and report of a million rows, each by its own command, beside what the project holds itself to. */
function recomputeTable(runs: readonly RecomputeRun[]): string {
  const rows = [...Map.groupBy(runs, ({ kept, step }) => `${kept} ${step}`).values()];
  const of = (figure: (run: RecomputeRun) => number, digits: number) => (same: RecomputeRun[]) =>
    spread(same, figure, digits);
  const { seconds, peakMiB } = recomputeTarget;
  const table = tableOf(rows, [
    ['run', ([first]) => (first?.kept === 'E5' ? 'E5: waits, and no drop' : 'E1: about one in three dropped')],
    ['command', ([first]) => first?.step ?? ''],
    [`time, s (target ${seconds})`, of((run) => run.wallSeconds, 1)],
    ['CPU, s', of((run) => run.cpuSeconds, 1)],
    [`peak memory, MiB (target ${peakMiB})`, of((run) => run.peakMiB, 0)],
  ]);
  return `Kept runs, repeated until each has a million rows and some two thousand restarts:\n\n${table}`;
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const cut = by % all.length;
  return [...all.slice(cut), ...all.slice(0, cut)];
}

/** The median of a figure, and the least and the greatest where there are several. */
function spread<T>(items: readonly T[], figure: (item: T) => number, digits: number): string {
  const sorted = items.map(figure).sort((a, b) => a - b);
  const median = (sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN).toFixed(digits);
  return sorted.length < 2 ? median : `${median} (${sorted[0]?.toFixed(digits)}–${sorted.at(-1)?.toFixed(digits)})`;
}
