/** The published load generators, driven against the calibration server: what each of them says of a known truth. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { slotCount } from '../experiment/load-schedule.ts';
import { cacheFolder } from '../project.mjs';
import type { Protocol } from './arrivals.ts';
import type { CalibrationCase } from './cases.ts';
import { faults, startFaultyServer } from './faulty-server.ts';
import { calibrationBody, serviceFor } from './run-case.ts';

/** What a peer is to do. */
export interface PeerTask extends Omit<CalibrationCase, 'fault' | 'awayMs'> {
  readonly url: string;
  readonly body: string | null;
  readonly protocol: Protocol;
}

/** What a peer said. */
interface PeerReport {
  /** Requests that it says it sent, or, where it does not say, that it counted one way or the other. */
  readonly requests: number;
  /** Requests that it says were not answered with 200. */
  readonly failed: number;
  /** Its words. */
  readonly raw: string;
}

/** A command, and what it is given beside its words. */
interface PeerCommand {
  readonly words: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Peer {
  /** The file that must be there. */
  readonly file: string;
  /** Prints its version, which the pattern finds. */
  readonly version: readonly [words: readonly string[], pattern: RegExp];
  /** What it is asked to speak here. */
  readonly speaks: readonly Protocol[];
  /** Does it send one request a slot, whatever became of those before? If not, its load is closed and of its own shape. */
  readonly isOpen: boolean;
  readonly command: (task: PeerTask) => PeerCommand;
  readonly read: (stdout: Buffer) => PeerReport | Promise<PeerReport>;
}

/** Where `install-peers.mjs` puts the programs that npm does not bring. */
const folder = join(cacheFolder(), 'peers');
const autocannon = createRequire(import.meta.url).resolve('autocannon');
const vegeta = join(folder, 'vegeta');
const oha = join(folder, 'cargo/bin/oha');
const wrk = '/usr/bin/wrk';
const h2load = '/usr/bin/h2load';

/** Connections of the tools whose load is closed. */
const closedConnections = 10;

const peers = {
  autocannon: {
    file: autocannon,
    speaks: ['http'],
    version: [[process.execPath, autocannon, '--version'], /autocannon v(\S+)/u],
    isOpen: false,
    command: ({ url, method, body, connections, ratePerSecond, durationMs, timeoutMs }) => ({
      words: [
        ...[process.execPath, autocannon, '--json', '--no-progress', '--ignoreCoordinatedOmission'],
        ...['--connections', String(closedConnections), '--overallRate', String(ratePerSecond)],
        ...['--duration', String(durationMs / 1000), '--timeout', String(timeoutMs / 1000), '--method', method],
        ...(body === null ? [] : ['--body', body]),
        ...(connections === 'new' ? ['--reconnectRate', '1'] : []),
        url,
      ],
    }),
    read: (stdout) => {
      const said = JSON.parse(stdout.toString()) as Record<'errors' | 'non2xx' | '2xx', number>;
      const failed = said.errors + said.non2xx;
      return { requests: said['2xx'] + failed, failed, raw: pick(said, '2xx non2xx errors timeouts resets') };
    },
  },
  vegeta: {
    file: vegeta,
    speaks: ['http', 'https', 'h2'],
    // Built by its module's version, it does not know one of its own; the Go tool does.
    version: [['go', 'version', '-m', vegeta], /\tmod\t\S+\t(\S+)/u],
    isOpen: true,
    command: ({ url, method, body, connections, ratePerSecond, durationMs, timeoutMs, protocol }) => ({
      words: [
        ...[vegeta, 'attack', '-format', 'json', '-rate', String(ratePerSecond), '-duration', `${durationMs}ms`],
        ...['-timeout', `${timeoutMs}ms`, `-keepalive=${connections === 'kept'}`],
        ...[`-http2=${protocol === 'h2'}`, '-insecure'],
      ],
      input: `${JSON.stringify({ method, url, body: Buffer.from(body ?? '').toString('base64') })}\n`,
    }),
    read: async (input) => {
      const { stdout } = await execa(vegeta, ['report', '-type', 'json'], { input });
      const said = JSON.parse(stdout) as { requests: number; status_codes: Record<string, number> };
      const failed = said.requests - (said.status_codes['200'] ?? 0);
      return { requests: said.requests, failed, raw: pick(said, 'requests success status_codes errors') };
    },
  },
  oha: {
    file: oha,
    speaks: ['http', 'https', 'h2'],
    version: [[oha, '--version'], /oha (\S+)/u],
    isOpen: true,
    command: ({ url, method, body, connections, ratePerSecond, durationMs, timeoutMs, protocol }) => ({
      words: [
        ...[oha, '--no-tui', '--output-format', 'json', '-c', '128', '-q', String(ratePerSecond)],
        ...['-n', String(slotCount(ratePerSecond, durationMs)), '-t', `${timeoutMs}ms`, '-m', method],
        ...(body === null ? [] : ['-d', body]),
        ...(connections === 'new' ? ['--disable-keepalive'] : []),
        ...(protocol === 'http' ? [] : ['--insecure']),
        ...(protocol === 'h2' ? ['--http2'] : []),
        url,
      ],
    }),
    read: (stdout) => {
      type Counts = Record<string, number>;
      const said = JSON.parse(stdout.toString()) as Record<'statusCodeDistribution' | 'errorDistribution', Counts>;
      const sum = (counts: Counts): number => Object.values(counts).reduce((all, some) => all + some, 0);
      const requests = sum(said.statusCodeDistribution) + sum(said.errorDistribution);
      const failed = requests - (said.statusCodeDistribution['200'] ?? 0);
      return { requests, failed, raw: pick(said, 'statusCodeDistribution errorDistribution') };
    },
  },
  wrk: {
    file: wrk,
    speaks: ['http'],
    version: [[wrk, '-v'], /^wrk (\S+)/u],
    isOpen: false,
    command: ({ url, method, body, connections, durationMs, timeoutMs }) => ({
      words: [
        ...[wrk, '-t1', `-c${closedConnections}`, `-d${Math.ceil(durationMs / 1000)}s`],
        ...['--timeout', `${Math.ceil(timeoutMs / 1000)}s`],
        ...['-s', fileURLToPath(new URL('./wrk.lua', import.meta.url)), url],
      ],
      env: {
        WRK_METHOD: method,
        ...(body === null ? {} : { WRK_BODY: body }),
        ...(connections === 'new' ? { WRK_CONNECTION: 'close' } : {}),
      },
    }),
    read: (stdout) => {
      const text = stdout.toString();
      const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
      const errors = [/connect (\d+)/u, /read (\d+)/u, /write (\d+)/u, /timeout (\d+)/u].map(number);
      const failed = errors.reduce((sum, count) => sum + count, 0);
      const said = text.split('\n').filter((line) => /requests in|Socket errors|Non-2xx/u.test(line));
      return {
        requests: number(/(\d+) requests in/u) + failed,
        failed: failed + number(/Non-2xx or 3xx responses: (\d+)/u),
        raw: said.map((line) => line.trim()).join('; '),
      };
    },
  },
  h2load: {
    file: h2load,
    speaks: ['h2'],
    version: [[h2load, '--version'], /nghttp2\/(\S+)/u],
    isOpen: true,
    // One connection for all, as ours; it checks no certificate, and knows GET only where there is no body.
    command: ({ url, ratePerSecond, durationMs }) => ({
      words: [
        ...[h2load, '-c', '1', '-m', '128', '--rps', String(ratePerSecond)],
        ...['-n', String(slotCount(ratePerSecond, durationMs)), url],
      ],
    }),
    read: (stdout) => {
      const said = /^requests: (\d+) total.* (\d+) succeeded/mu.exec(stdout.toString());
      const [requests, succeeded] = [Number(said?.[1] ?? 0), Number(said?.[2] ?? 0)];
      return { requests, failed: requests - succeeded, raw: said?.[0] ?? '' };
    },
  },
} as const satisfies Record<string, Peer>;

/** A peer by name. */
export type PeerName = keyof typeof peers;

/** The peers that are installed, of those that speak this, and those that are not. */
export function installedPeers(protocol: Protocol): { readonly present: PeerName[]; readonly missing: PeerName[] } {
  const all = (Object.keys(peers) as PeerName[]).filter((name) => (peers[name] as Peer).speaks.includes(protocol));
  const isThere = (name: PeerName): boolean => existsSync(peers[name].file);
  return { present: all.filter(isThere), missing: all.filter((name) => !isThere(name)) };
}

/** Its name and its version, in its own words. */
export async function versionOf(name: PeerName): Promise<string> {
  const peer: Peer = peers[name];
  const [[program = '', ...words], pattern] = peer.version;
  const { stdout } = await execa(program, words, { reject: false });
  return `${name} ${pattern.exec(stdout)?.[1] ?? 'unknown'}`;
}

/** The command that has a peer do a task. */
export function peerCommand(name: PeerName, task: PeerTask): PeerCommand {
  return peers[name].command(task);
}

/** One peer in one case. */
export interface PeerResult extends PeerReport {
  readonly peer: PeerName;
  readonly calibration: CalibrationCase;
  /** Requests that arrived. */
  readonly arrived: number;
  /** Requests that failed, by the server's own count; null where that cannot be told (an absence under a closed load). */
  readonly truth: number | null;
  /** Did it report the truth, and did as many arrive as it counted (what it cut at its end left out)? */
  readonly isRight: boolean;
}

/** Drives one peer through one case. */
export async function runPeerCase(name: PeerName, calibration: CalibrationCase): Promise<PeerResult> {
  const { fault, awayMs, ratePerSecond, durationMs, method } = calibration;
  const peer: Peer = peers[name];
  const server = await startFaultyServer(calibration);
  try {
    const { url } = serviceFor(calibration, server.port);
    const body = method === 'POST' ? calibrationBody : null;
    const { words, ...given } = peer.command({ ...calibration, url, protocol: 'http', body });
    const [program = '', ...rest] = words;
    const { stdout } = await execa(program, rest, { input: '', ...given, encoding: 'buffer' });
    const report = await peer.read(Buffer.from(stdout));
    const { arrivals, faulted } = server.counts();
    const { isOpen } = peer;
    const met = faults[fault].outcome === 'ok' ? 0 : faulted;
    // With a request a slot, those that did not arrive are those that fell into the absence.
    const missed = isOpen ? slotCount(ratePerSecond, durationMs) - arrivals : null;
    const truth = awayMs === 0 ? met : missed;
    // A closed load is cut at its end, with a request under way on each of its connections: that is no mistake.
    const cut = isOpen ? 0 : closedConnections;
    const reached = report.requests - (awayMs > 0 || fault === 'accept-rst' ? report.failed : 0);
    const isRight =
      truth === null
        ? report.failed <= Math.ceil((ratePerSecond * awayMs) / 1000) + 1
        : Math.abs(report.failed - truth) <= (isOpen && awayMs === 0 ? 0 : 2) &&
          Math.abs(reached - arrivals) <= cut + 1;
    return { peer: name, calibration, ...report, arrived: arrivals, truth, isRight };
  } finally {
    server.close();
  }
}

function pick(said: object, names: string): string {
  const values = said as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(names.split(' ').map((name) => [name, values[name]])));
}
