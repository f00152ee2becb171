/** The site: starts, warms up, serves, and leaves at SIGTERM. See options.ts for what it can be told. */
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicUs, processStartUs } from './clock.ts';
import { trackConnections } from './connections.ts';
import { drain } from './drain.ts';
import { inheritedBacklog, longBacklog, takeListenFd } from './listen-fds.ts';
import { createLog, type Log } from './log.ts';
import { helpText, parseOptions, UsageError, type Options } from './options.ts';
import { createInternalServer, createPublicServer, type State } from './server.ts';
import { openStore } from './store.ts';

const beganUs = monotonicUs();
/** Closing the database may wait for a lock; a site that was told to go does not. */
const closeStoreMs = 50;

function readOptions(): Options {
  try {
    const options = parseOptions(process.argv.slice(2), process.env);
    if (options !== 'help') return options;
    process.stdout.write(helpText());
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

async function main(options: Options): Promise<void> {
  const startUs = processStartUs();
  const identity = { version: options.versionName, instance: `${process.pid}-${Math.round(startUs / 1000)}` };
  const log = createLog(identity);
  const state: State = { ready: false, closing: false };
  const fd = takeListenFd(process.env, process.pid);
  const store = openStore(
    { path: options.databasePath, busyTimeoutMs: options.busyTimeoutMs, synchronous: options.synchronous },
    identity,
  );
  const publicServer = createPublicServer({
    store,
    state,
    identity,
    log,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs,
  });
  const internalServer = createInternalServer({ state, identity });
  const connections = trackConnections(publicServer, () => performance.now());
  const responses = new Set<ServerResponse>();
  publicServer.prependListener('request', (_, response) => {
    responses.add(response);
    response.on('close', () => responses.delete(response));
  });

  let leaving = false;
  const isLeaving = (): boolean => leaving;
  const leave = (signal: NodeJS.Signals): void => {
    if (leaving) return;
    leaving = true;
    state.ready = false;
    log.event('sigterm', { signal, open: connections.open(), inFlight: connections.inFlight() });
    log.event('not-ready');
    void (async () => {
      // Before the site accepts there is nothing to drain.
      if (publicServer.listening) {
        await drain({ options, server: publicServer, connections, responses, state, log });
        await Promise.race([store.close(), sleep(closeStoreMs)]);
      }
      exit(log, 0);
    })();
  };
  if (options.drain !== 'none') {
    process.on('SIGTERM', leave);
    process.on('SIGINT', leave);
  }

  await listen(internalServer, { ...options.internalListenAddress });
  const warm = Promise.all([store.opened, sleep(options.warmUpMs), backlogOf(fd, log)]);
  log.event('start', { processStartUs: startUs, socket: fd === undefined ? 'own' : 'inherited' }, beganUs);
  log.event('internal-listening', { port: options.internalListenAddress.port });
  const [pragmas, , backlog] = await warm;
  if (isLeaving()) return;
  if (fd === undefined) await listen(publicServer, { ...options.listenAddress, backlog });
  else await listen(publicServer, { fd }, backlog);
  log.event('accepting', { backlog, pragmas });
  state.ready = true;
  log.event('ready');
}

/** The length of the queue to ask for: an inherited socket's own, so that it stays as systemd set it. */
async function backlogOf(fd: number | undefined, log: Log): Promise<number> {
  if (fd === undefined) return longBacklog;
  try {
    return await inheritedBacklog(fd);
  } catch (error) {
    log.event('warning', {
      message: `the queue's length is not known, so it becomes ${longBacklog}: ${String(error)}`,
    });
    return longBacklog;
  }
}

/** Node reads a backlog in the options only for an address of its own; for a descriptor it must be the second argument. */
async function listen(server: Server, where: Parameters<Server['listen']>[0], backlog?: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const listening = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (backlog === undefined) server.listen(where, listening);
    else
      (server.listen as (where: unknown, backlog: number, listening: () => void) => void).call(
        server,
        where,
        backlog,
        listening,
      );
  });
}

function exit(log: Log, code: number): never {
  log.event('exit', { code });
  process.exit(code);
}

const options = readOptions();
try {
  await main(options);
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(`${JSON.stringify({ event: 'failed', atMonotonicUs: monotonicUs(), message })}\n`);
  process.exit(1);
}
