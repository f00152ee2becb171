/** The published load generators, driven against the calibration server: what each of them says of a known truth. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { slotCount } from '../experiment/load-schedule.ts';

/** The peers that are driven. */
export const peerNames = ['autocannon', 'vegeta', 'oha', 'wrk'] as const;

/** A peer by name. */
export type PeerName = (typeof peerNames)[number];

/** What a peer is to do. */
export interface PeerTask {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body: string | null;
  readonly connections: 'kept' | 'new';
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly timeoutMs: number;
}

/** What a peer said. */
export interface PeerReport {
  /** Requests that it says it sent, or, where it does not say, that it counted one way or the other. */
  readonly requests: number;
  /** Requests that it says were not answered with 200. */
  readonly failed: number;
  /** Its words. */
  readonly raw: string;
}

/** Where `install-peers.mjs` puts the programs that npm does not bring. */
const folder = fileURLToPath(new URL('../../.cache/peers/', import.meta.url));

const commands: Record<PeerName, string> = {
  autocannon: fileURLToPath(new URL('../../node_modules/autocannon/autocannon.js', import.meta.url)),
  vegeta: join(folder, 'vegeta'),
  oha: join(folder, 'cargo/bin/oha'),
  wrk: '/usr/bin/wrk',
};

/** Connections of the tools whose load is closed. */
export const closedConnections = 10;

/** Is it installed? */
export function isInstalled(peer: PeerName): boolean {
  return existsSync(commands[peer]);
}

/** Its version, in its own words. */
export async function versionOf(peer: PeerName): Promise<string> {
  switch (peer) {
    case 'autocannon': {
      const text = await readFile(join(commands.autocannon, '../package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    }
    case 'vegeta': {
      // Built by its module's version, it does not know one of its own; the Go tool does.
      const { stdout } = await execa('go', ['version', '-m', commands.vegeta], { reject: false });
      return /\tmod\t\S+\t(\S+)/u.exec(stdout)?.[1] ?? 'unknown';
    }
    case 'oha':
      return (await execa(commands.oha, ['--version'])).stdout.replace('oha ', '');
    case 'wrk':
      return (await execa(commands.wrk, ['-v'], { reject: false })).stdout.split('\n')[0]?.split(' ')[1] ?? 'unknown';
  }
}

/** Runs a peer once. wrk and autocannon know no rate for single requests: their load is closed, and of their own shape. */
export async function runPeer(peer: PeerName, task: PeerTask): Promise<PeerReport> {
  switch (peer) {
    case 'autocannon':
      return await runAutocannon(task);
    case 'vegeta':
      return await runVegeta(task);
    case 'oha':
      return await runOha(task);
    case 'wrk':
      return await runWrk(task);
  }
}

/** The words of a peer's command, and what it reads on its input. Of vegeta, requests without a body only. */
export function peerCommand(peer: PeerName, task: PeerTask): { command: string[]; input?: string } {
  const { url, method, body, connections, ratePerSecond, durationMs, timeoutMs } = task;
  switch (peer) {
    case 'autocannon':
      return {
        command: [
          ...[process.execPath, commands.autocannon, '--json', '--no-progress', '--ignoreCoordinatedOmission'],
          ...['--connections', String(closedConnections), '--overallRate', String(ratePerSecond)],
          ...['--duration', String(durationMs / 1000), '--timeout', String(timeoutMs / 1000), '--method', method],
          ...(body === null ? [] : ['--body', body]),
          ...(connections === 'new' ? ['--reconnectRate', '1'] : []),
          url,
        ],
      };
    case 'vegeta':
      return {
        command: [
          ...[commands.vegeta, 'attack', '-rate', String(ratePerSecond), '-duration', `${durationMs}ms`],
          ...['-timeout', `${timeoutMs}ms`, `-keepalive=${connections === 'kept'}`],
        ],
        input: `${method} ${url}`,
      };
    case 'oha':
      return {
        command: [
          ...[commands.oha, '--no-tui', '--output-format', 'json', '-c', '128', '-q', String(ratePerSecond)],
          ...['-n', String(slotCount(ratePerSecond, durationMs)), '-t', `${timeoutMs}ms`, '-m', method],
          ...(body === null ? [] : ['-d', body]),
          ...(connections === 'new' ? ['--disable-keepalive'] : []),
          url,
        ],
      };
    case 'wrk':
      return {
        command: [
          ...[commands.wrk, '-t1', `-c${closedConnections}`, `-d${Math.ceil(durationMs / 1000)}s`],
          ...['--timeout', `${Math.ceil(timeoutMs / 1000)}s`, url],
        ],
      };
  }
}

async function runCommand([program = '', ...words]: readonly string[]): Promise<string> {
  return (await execa(program, words)).stdout;
}

async function runAutocannon(task: PeerTask): Promise<PeerReport> {
  const stdout = await runCommand(peerCommand('autocannon', task).command);
  const said = JSON.parse(stdout) as Record<'errors' | 'non2xx' | '2xx', number>;
  const failed = said.errors + said.non2xx;
  return {
    requests: said['2xx'] + failed,
    failed,
    raw: pick(stdout, ['2xx', 'non2xx', 'errors', 'timeouts', 'resets']),
  };
}

async function runVegeta(task: PeerTask): Promise<PeerReport> {
  const target = await mkdtemp(join(tmpdir(), 'vegeta-'));
  try {
    const bodyFile = join(target, 'body');
    if (task.body !== null) await writeFile(bodyFile, task.body);
    const { command, input } = peerCommand('vegeta', task);
    const [program = '', ...words] = [...command, ...(task.body === null ? [] : ['-body', bodyFile])];
    const attack = execa(program, words, { input: input ?? '', encoding: 'buffer' });
    const { stdout } = await attack.pipe(commands.vegeta, ['report', '-type', 'json']);
    const said = JSON.parse(stdout) as { requests: number; status_codes: Record<string, number> };
    const failed = said.requests - (said.status_codes['200'] ?? 0);
    return {
      requests: said.requests,
      failed,
      raw: pick(stdout, ['requests', 'success', 'status_codes', 'errors']),
    };
  } finally {
    await rm(target, { recursive: true });
  }
}

async function runOha(task: PeerTask): Promise<PeerReport> {
  const stdout = await runCommand(peerCommand('oha', task).command);
  const said = JSON.parse(stdout) as {
    statusCodeDistribution: Record<string, number>;
    errorDistribution: Record<string, number>;
  };
  const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, some) => all + some, 0);
  const requests = sum(said.statusCodeDistribution) + sum(said.errorDistribution);
  const failed = requests - (said.statusCodeDistribution['200'] ?? 0);
  return { requests, failed, raw: pick(stdout, ['statusCodeDistribution', 'errorDistribution']) };
}

async function runWrk(task: PeerTask): Promise<PeerReport> {
  const target = await mkdtemp(join(tmpdir(), 'wrk-'));
  try {
    const script = join(target, 'request.lua');
    const body = task.body === null ? '' : `wrk.body = ${JSON.stringify(task.body)}\n`;
    const close = task.connections === 'new' ? 'wrk.headers["Connection"] = "close"\n' : '';
    await writeFile(script, `wrk.method = "${task.method}"\n${body}${close}`);
    const stdout = await runCommand([...peerCommand('wrk', task).command, '-s', script]);
    const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
    const answered = number(/(\d+) requests in/u);
    const errors = number(/connect (\d+)/u) + number(/read (\d+)/u) + number(/write (\d+)/u) + number(/timeout (\d+)/u);
    const raw = stdout
      .split('\n')
      .filter((line) => /requests in|Socket errors|Non-2xx/u.test(line))
      .map((line) => line.trim())
      .join('; ');
    return { requests: answered + errors, failed: errors + number(/Non-2xx or 3xx responses: (\d+)/u), raw };
  } finally {
    await rm(target, { recursive: true });
  }
}

function pick(json: string, names: readonly string[]): string {
  const said = JSON.parse(json) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, said[name]])));
}
