/** A service that keeps the contract, or breaks it in the one way that `--fault` names: what `doctor` must find by name. */
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/** What it does wrong, in words. LISTEN_PID is broken by a wrapper in its `start`. */
export const faults = {
  none: 'keeps the contract',
  'ignores-sigterm': 'goes on as if SIGTERM had not come',
  'ready-while-warming': 'says that it is ready before its port is open',
  'ready-always': 'says that it is ready in warm-up and in the drain, too',
  'cuts-in-flight': 'exits before it has answered what is in flight',
  'binds-anyway': 'opens its port although it was handed a socket',
  'shortens-queue': 'listens again on the socket that it was handed, with a queue of 511',
  'drains-for-ever': 'closes its port after SIGTERM, and never exits',
  'crashes-on-second-sigterm': 'dies of the second SIGTERM, whatever is in flight',
  'closes-idle': 'closes idle connections as soon as it drains',
  'loses-writes': 'acknowledges a write that it stores only later',
  'other-port': 'opens another port than it was told',
  'no-live': 'takes the question whether it lives, and never answers',
} as const;

type Fault = keyof typeof faults;

const quietMs = 1000;
const slowMs = 600;
const flushMs = 5000;

function isFault(text: string): text is Fault {
  return Object.hasOwn(faults, text);
}

async function main(): Promise<void> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    options: {
      fault: text('none'),
      listen: text('127.0.0.1:18080'),
      internal: text('127.0.0.1:18081'),
      data: text('orders.txt'),
      'warm-up': text('0'),
      grace: text('50'),
    },
  });
  const { fault, data } = values;
  if (!isFault(fault)) throw new Error(`--fault is one of ${Object.keys(faults).join(', ')}`);

  const state = { ready: fault === 'ready-while-warming', draining: false, lastRequestMs: 0 };
  const internal = createServer((request, response) => {
    if (request.url === '/livez') {
      if (fault !== 'no-live') response.end('alive\n');
      return;
    }
    response.statusCode = state.ready || fault === 'ready-always' ? 200 : 503;
    response.end();
  });
  await listening(internal, addressOf(values.internal));

  const store = storeIn(data, fault === 'loses-writes');
  const site = createServer((request, response) => {
    state.lastRequestMs = performance.now();
    void answered(request, response, store).then(() => {
      response.setHeader('X-App-Version', process.env['APP_VERSION'] ?? '');
      if (state.draining) response.setHeader('Connection', 'close');
      response.end('ok\n');
    });
  });
  // The proxy closes idle connections first.
  site.keepAliveTimeout = 100_000;

  let signals = 0;
  const leave = async (): Promise<void> => {
    signals += 1;
    if (fault === 'ignores-sigterm') return;
    if (fault === 'crashes-on-second-sigterm' && signals === 2) throw new Error('a second SIGTERM');
    if (signals > 1) return;
    state.ready = false;
    await sleep(Number(values.grace));
    if (fault === 'cuts-in-flight') process.exit(0);
    state.draining = true;
    await drained(site, fault === 'closes-idle', state);
    if (fault !== 'drains-for-ever') process.exit(0);
  };
  process.on('SIGTERM', () => void leave());

  await sleep(Number(values['warm-up']));
  if (signals > 0 && fault !== 'ignores-sigterm') return;
  const { host, port } = addressOf(values.listen);
  const isHanded = process.env['LISTEN_PID'] === String(process.pid) && fault !== 'binds-anyway';
  if (isHanded) await listening(site, { fd: 3 }, fault === 'shortens-queue' ? undefined : 4096);
  else await listening(site, { host, port: fault === 'other-port' ? port + 7 : port }, 4096);
  state.ready = true;
}

function addressOf(text: string): { host: string; port: number } {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}

/** Node takes the length of an inherited socket's queue as the second argument only. */
async function listening(server: Server, where: { fd: number } | { host: string; port: number }, backlog?: number) {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if ('fd' in where) server.listen(where, backlog as never, resolve);
    else server.listen(where.port, where.host, backlog, resolve);
  });
}

/** Stores an id; `late`: some time after it has said so. */
function storeIn(file: string, isLate: boolean): (id: string) => void {
  let waiting = '';
  const flush = (): void => {
    appendFileSync(file, waiting);
    waiting = '';
  };
  process.on('exit', flush);
  if (isLate) setInterval(flush, flushMs);
  return (id) => {
    waiting += `${id}\n`;
    if (!isLate) flush();
  };
}

async function answered(
  request: IncomingMessage,
  response: ServerResponse,
  store: (id: string) => void,
): Promise<void> {
  if (request.method === 'POST') {
    const { id } = (await json(request)) as { id: string };
    store(id);
    response.statusCode = 201;
  } else if (request.url === '/slow') await sleep(slowMs);
}

/** Resolves when no connection is open; idle ones are closed at once, or when no request has come for a while. */
async function drained(site: Server, isNaive: boolean, state: { readonly lastRequestMs: number }): Promise<void> {
  const startedMs = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - Math.max(state.lastRequestMs, startedMs) > quietMs) site.closeIdleConnections();
  }, 20);
  await new Promise<void>((resolve) => {
    if (isNaive) site.close(() => resolve());
    else NetServer.prototype.close.call(site, () => resolve());
  });
  clearInterval(timer);
}

if (import.meta.main) await main();
