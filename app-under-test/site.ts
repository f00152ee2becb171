/** The life of the site, from start to exit. */
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListenAddress } from './address.ts';
import { monotonicUs, processStartUs } from './clock.ts';
import { drain } from './drain.ts';
import { spoiler, withFault } from './fault.ts';
import { createInternalServer, type Phase } from './internal-server.ts';
import { inheritedBacklog, longBacklog, takeListenFds } from './listen-fds.ts';
import { listen } from './listen.ts';
import { createLog, writeLine, type Log } from './log.ts';
import { helpText, parseOptions, UsageError, type Options } from './options.ts';
import { createPublicServer, type PublicServer } from './server.ts';
import { openStore, type Store } from './store.ts';
import { warmUp } from './warm-up.ts';

/** How long the store may take to close when nothing is left of the time to leave in. */
const storePatienceMs = 30;

/** The same for a site that was still warming: its store may have to finish opening first. */
const warmingPatienceMs = 200;

interface Leaving {
  readonly options: Options;
  readonly log: Log;
  readonly site: PublicServer;
  readonly store: Store;
  /** Settles when the public port accepts; undefined before it was asked to. */
  readonly accepting: Promise<void> | undefined;
  readonly sigtermUs: number;
}

/**
 * Runs the site with the arguments and environment of this process. `startedUs` is the stamp of the event `start`.
 * Resolves once the site accepts, or is leaving. The process exits 2 on a mistake in the options, 1 if it cannot listen
 * or open its database, and 0 after SIGTERM or SIGINT, however the drain went.
 */
export async function runSite(startedUs: number): Promise<void> {
  const options = readOptions();
  const { publicFd, internalFd } = takeListenFds(process.env, process.pid);
  const bornUs = processStartUs();
  const identity = { version: options.versionName, instance: `${process.pid}-${Math.floor(bornUs / 1000)}` };
  const log = createLog(identity);
  // Node's own way out, process.exit, would wait for a thread that waits for SQLite.
  process.on('uncaughtException', (error) => fail(log, error.stack ?? String(error)));

  const state: { phase: Phase } = { phase: 'warming' };
  const leaving = () => state.phase === 'stopping';
  const internal = createInternalServer(identity, () => state.phase);
  const internalListening =
    options.fault === 'crash-at-start'
      ? Promise.reject(new Error('this release cannot start (planted fault crash-at-start)'))
      : listenOn(internal, internalFd, options.internalListenAddress, log);
  // A failure is reported below, where it is awaited; until then it is not an unhandled one.
  internalListening.catch(() => undefined);
  const store = openStore(options, identity);
  store.opened.catch(() => undefined);
  const site = createPublicServer({
    identity,
    log,
    store: withFault(store, options.fault),
    keepAliveTimeoutMs: options.keepAliveTimeoutMs,
    isSlow: options.fault === 'slow-answers',
    spoil: spoiler(options.fault),
  });

  const sockets = { socket: ownerOf(publicFd), internalSocket: ownerOf(internalFd) };
  const announceStart = startAnnouncer(log, startedUs, { processStartUs: bornUs, ...sockets, options });
  let accepting: Promise<void> | undefined;
  const onSignal = (signal: string) => {
    if (leaving()) return;
    const sigtermUs = monotonicUs();
    state.phase = 'stopping';
    announceStart();
    const { connections } = site;
    log.event('sigterm', { signal, open: connections.open(), inFlight: connections.inFlight() }, sigtermUs);
    log.event('not-ready');
    void leave({ options, log, site, store, accepting, sigtermUs });
  };
  watchSignals(options, onSignal);

  try {
    await internalListening;
    log.event('internal-listening', { address: internal.address() });
    const warmMs = performance.now() + options.warmUpMs;
    const [backlog, rehearsed] = await Promise.all([
      publicFd === undefined ? longBacklog : backlogOf(publicFd, log),
      store.opened.then(async (pragmas) => {
        announceStart(pragmas);
        return await warmUp(warmMs, { identity, store, keepAliveTimeoutMs: options.keepAliveTimeoutMs }, leaving);
      }),
      options.fault === 'never-ready' ? new Promise<never>(() => undefined) : sleep(options.warmUpMs),
    ]);
    if (leaving()) return;
    accepting = listen(site.server, publicFd ?? options.listenAddress, backlog);
    await accepting;
    log.event('accepting', { address: site.server.address(), backlog });
    if (leaving()) return;
    state.phase = 'ready';
    log.event('ready', { rehearsed });
  } catch (error) {
    // A site that leaves closes its store, which may not have been open yet.
    if (leaving()) return;
    announceStart();
    fail(log, error instanceof Error ? error.message : String(error));
  }
}

/** Writes the event `start` once. It waits for the store, to name the pragmas in effect; a site that fails goes without. */
function startAnnouncer(log: Log, startedUs: number, detail: Readonly<Record<string, unknown>>) {
  let announced = false;
  return (pragmas?: unknown): void => {
    if (announced) return;
    announced = true;
    const { node, sqlite } = process.versions;
    log.event('start', { ...detail, node, sqlite, pragmas }, startedUs);
  };
}

/** Did the site open its socket itself, or was it handed one? */
function ownerOf(fd: number | undefined): 'own' | 'inherited' {
  return fd === undefined ? 'own' : 'inherited';
}

/** SIGTERM and SIGINT end the site by `onSignal`, or at once where it has no drain. */
function watchSignals({ fault, drain: style }: Options, onSignal: (signal: string) => void): void {
  if (fault === 'ignore-sigterm') {
    process.on('SIGTERM', () => undefined);
  } else if (style !== 'none') {
    // The handler stays: a second signal must find it, or it would kill.
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  }
}

async function leave({ options, log, site, store, accepting, sigtermUs }: Leaving): Promise<never> {
  const { shutdownGracePeriodMs, shutdownTimeoutMs, drain: style, drainQuietMs } = options;
  let leftMs = warmingPatienceMs;
  // While warming nothing was ever accepted, and there is nobody to be graceful to.
  if (accepting !== undefined) {
    await accepting.catch(() => undefined);
    await sleep(shutdownGracePeriodMs);
    const plan = { quietMs: drainQuietMs, timeoutMs: shutdownTimeoutMs };
    await drain(site, { style: style === 'naive' ? 'naive' : 'polite', ...plan }, log);
    leftMs = shutdownGracePeriodMs + shutdownTimeoutMs - (monotonicUs() - sigtermUs) / 1000;
  }
  const storeClosed = await Promise.race([
    store.close().then(
      () => true,
      // It was never open.
      () => true,
    ),
    sleep(Math.max(leftMs, storePatienceMs), false),
  ]);
  if (!storeClosed) log.event('drain-timeout', { waitingFor: 'store' });
  log.event('exit', { code: 0, storeClosed });
  if (storeClosed) process.exit(0);
  exitNow(0);
}

/** Listens on the inherited socket if there is one, with the queue it has, else on the address. */
async function listenOn(server: Server, fd: number | undefined, address: ListenAddress, log: Log): Promise<void> {
  await listen(server, fd ?? address, fd === undefined ? longBacklog : await backlogOf(fd, log));
}

/** The length of the queue to ask for: an inherited socket's own, so that it stays as systemd set it. */
async function backlogOf(fd: number, log: Log): Promise<number> {
  try {
    return await inheritedBacklog(fd);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.event('warning', { message: `the queue's length is not known, so ${longBacklog} is asked for: ${why}` });
    return longBacklog;
  }
}

function readOptions(): Options {
  try {
    const options = parseOptions(process.argv.slice(2), process.env);
    if (options !== 'help') return options;
    writeLine(1, helpText().trimEnd());
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeLine(2, error.message);
    process.exit(2);
  }
}

function fail(log: Log, message: string): never {
  log.event('failed', { message });
  log.event('exit', { code: 1 });
  exitNow(1);
}

/**
 * Ends the process at once with this status, even while a thread waits inside SQLite. Never returns.
 * process.exit joins every thread: with a writer that waits for the database's lock it took the whole busy_timeout
 * (20 s measured, Node 24). execve(2) replaces the process instead, whatever its threads do; what takes its place has
 * nothing to do but exit. The database survives this as it survives SIGKILL: what was not committed is not there.
 */
function exitNow(status: number): never {
  try {
    process.execve?.('/bin/sh', ['sh', '-c', `exit ${status}`], {});
  } catch {
    // No shell here: the signal below needs none, at the price of the status.
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('SIGKILL was not enough');
}
