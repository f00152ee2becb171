/** For tests: real sites on loopback ports, and a client so simple that it hides nothing (no retry, no pool of its own). */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The program under test. */
export const mainFile = fileURLToPath(new URL('main.ts', import.meta.url));

/** A line of the site's log. */
export type Line = Readonly<Record<string, unknown>>;

/** An event of the site's life, as it was written on stderr. */
export interface SiteEvent {
  readonly event: string;
  readonly atMonotonicUs: number;
  readonly instance: string;
  readonly [detail: string]: unknown;
}

/** A process that runs the site, or several one after another. */
export interface RunningSite {
  readonly child: ChildProcess;
  readonly events: SiteEvent[];
  readonly requests: Line[];
  /** All of stderr. */
  stderr(): string;
  /** Waits for the nth event of this name (from 1), and fails with stderr if it does not come within 8 s. */
  seen(event: string, nth?: number): Promise<SiteEvent>;
  /** Waits for a line of the request log. */
  logged(matches: (line: Line) => boolean): Promise<Line>;
  /** Exit status, or the name of the signal it died of. */
  readonly exited: Promise<number | string>;
  /** The port in the event's `address`. */
  port(event: 'accepting' | 'internal-listening', nth?: number): Promise<number>;
}

const folders: string[] = [];

/** The path of a database in a new folder, which killLeftovers removes. */
export function newDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  folders.push(folder);
  return join(folder, 'site.db');
}

/** Starts a site on ports that the kernel chooses, unless the arguments say otherwise (the last one of a flag holds). */
export function startSite(args: readonly string[], env: Record<string, string> = {}): RunningSite {
  const any = ['--listen-addr', '127.0.0.1:0', '--internal-listen-addr', '127.0.0.1:0', '--database', newDatabase()];
  return watch(spawn(process.execPath, [mainFile, ...any, ...args], { env: { ...process.env, ...env } }));
}

const running = new Map<ChildProcess, () => string>();

/** Reads what the sites in this process and its children write. */
export function watch(child: ChildProcessWithoutNullStreams): RunningSite {
  const events: SiteEvent[] = [];
  const requests: Line[] = [];
  let stderr = '';
  let wakeUp: (() => void)[] = [];
  const wake = () => {
    for (const resolve of wakeUp.splice(0)) resolve();
  };
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr += `${line}\n`;
    if (line.startsWith('{')) events.push(JSON.parse(line) as SiteEvent);
    wake();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) requests.push(JSON.parse(line) as Line);
    wake();
  });
  running.set(child, () => `${stderr}\nits requests: ${JSON.stringify(requests)}`);
  const exited = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return (code ?? signal) as number | string;
  });
  const until = async <T>(what: string, find: () => T | undefined): Promise<T> => {
    const deadline = performance.now() + 8000;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`no ${what} within 8 s; stderr:\n${stderr}`);
      await new Promise<void>((resolve) => {
        wakeUp = [...wakeUp, resolve];
        setTimeout(resolve, 100);
      });
    }
  };
  const seen = (event: string, nth = 1) =>
    until(`event "${event}"`, () => events.filter((line) => line.event === event)[nth - 1]);
  return {
    child,
    events,
    requests,
    stderr: () => stderr,
    seen,
    logged: (matches) => until('such line', () => requests.find(matches)),
    exited,
    port: async (event, nth) => ((await seen(event, nth))['address'] as AddressInfo).port,
  };
}

/**
 * Kills what tests left running and removes their databases, for afterEach or afterAll. One that was told to go and is still there has hung, and
 * its test says nothing of why: what it had written is printed.
 */
export function killLeftovers(): void {
  for (const [child, written] of running) {
    if (written().includes('"sigterm"')) console.error(`told to go, yet still running:\n${written()}`);
    child.kill('SIGKILL');
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A port that nobody listens on, for the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** An answer, as it came. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** One connection, one request at a time. */
export interface Connection {
  readonly socket: Socket;
  /** Sends a request; rejects if the connection ends without a whole answer. */
  ask(method: string, path: string, body?: unknown): Promise<RawAnswer>;
  /** Waits for the answer to what was written on `socket` by hand. */
  answer(): Promise<RawAnswer>;
  /** Resolves when the other side has ended the connection. */
  readonly ended: Promise<void>;
}

/** Connects; rejects if refused. */
export async function open(port: number): Promise<Connection> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  let received = Buffer.alloc(0);
  let over = false;
  let check: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      resolve();
      check?.();
    };
    socket.on('end', end).on('close', end);
  });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    check?.();
  });
  const answer = () =>
    new Promise<RawAnswer>((resolve, reject) => {
      check = () => {
        const headEnd = received.indexOf('\r\n\r\n');
        const [statusLine = '', ...lines] = received.subarray(0, Math.max(headEnd, 0)).toString('latin1').split('\r\n');
        const headers = Object.fromEntries(
          lines.map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim(),
          ]),
        );
        const bodyEnd = headEnd + 4 + Number(headers['content-length']);
        if (headEnd >= 0 && received.length >= bodyEnd) {
          const text = received.subarray(headEnd + 4, bodyEnd).toString();
          received = received.subarray(bodyEnd);
          check = undefined;
          resolve({
            status: Number(statusLine.split(' ')[1]),
            headers,
            body: text === '' ? undefined : JSON.parse(text),
          });
        } else if (over) {
          check = undefined;
          reject(new Error(`the connection ended after ${received.length} bytes of an answer`));
        }
      };
      check();
    });
  return {
    socket,
    ended,
    answer,
    ask: (method, path, body) => {
      const content = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(content)}\r\n`;
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: site\r\n${length}\r\n${content}`);
      return answer();
    },
  };
}

/** One request on a connection of its own. */
export async function ask(port: number, method: string, path: string, body?: unknown): Promise<RawAnswer> {
  const connection = await open(port);
  try {
    return await connection.ask(method, path, body);
  } finally {
    connection.socket.destroy();
  }
}

/** Milliseconds between two events. */
export function msBetween(first: SiteEvent, second: SiteEvent): number {
  return (second.atMonotonicUs - first.atMonotonicUs) / 1000;
}
