/** The life of the site, from start to exit. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListenAddress } from './address.ts';
import { monotonicUs, processStartUs } from './clock.ts';
import { drain } from './drain.ts';
import { exitNow } from './exit.ts';
import { createInternalServer, type Phase } from './internal-server.ts';
import { inheritedBacklog, longBacklog, takeListenFd } from './listen-fds.ts';
import { createLog, writeLine, type Identity, type Log } from './log.ts';
import { helpText, parseOptions, UsageError, type Options } from './options.ts';
import { createPublicServer } from './server.ts';
import { openStore } from './store.ts';

/** How long the store may take to close when nothing else is left of the time to leave in. */
const storePatienceMs = 50;

/**
 * Runs the site with the arguments and environment of this process; resolves once it accepts (or is leaving).
 * `startedUs` is the stamp of the event `start`. Exits 2 on a mistake in the options, 1 if it cannot listen or open its
 * database, 0 after SIGTERM or SIGINT, however the drain went.
 */
export async function runSite(startedUs: number): Promise<void> {
  const options = optionsOrExit();
  const inheritedFd = takeListenFd(process.env, process.pid);
  const bornUs = processStartUs();
  const identity: Identity = {
    version: options.versionName,
    instance: `${process.pid}-${Math.floor(bornUs / 1000)}`,
  };
  const log = createLog(identity);
  // Without this a mistake of ours would end in process.exit, which waits for a thread that waits for SQLite.
  process.on('uncaughtException', (error) => fail(log, error.stack ?? String(error)));

  let phase: Phase = 'warming';
  const internal = createInternalServer(identity, () => phase);
  const internalListening = listen(internal, options.internalListenAddress);
  const store = openStore(
    { path: options.databasePath, busyTimeoutMs: options.busyTimeoutMs, synchronous: options.synchronous },
    identity,
  );
  const site = createPublicServer({ identity, log, store, keepAliveTimeoutMs: options.keepAliveTimeoutMs });

  /** The event `start` waits for the store, to name its pragmas; but nothing else may come of the process without it. */
  let announced = false;
  const announce = (detail: Record<string, unknown>) => {
    if (announced) return;
    announced = true;
    const { node, sqlite } = process.versions;
    log.event('start', { processStartUs: bornUs, activated: inheritedFd !== undefined, node, sqlite, options, ...detail }, startedUs);
  };

  let publicListening: Promise<void> | undefined;
  const leave = async (signal: string) => {
    if (phase === 'stopping') return;
    const begunUs = monotonicUs();
    phase = 'stopping';
    announce({});
    const { connections } = site;
    log.event('sigterm', { signal, open: connections.open(), inFlight: connections.inFlight() }, begunUs);
    log.event('not-ready');
    let storeTimeMs = storePatienceMs;
    // While warming nothing was ever accepted: there is nobody to be graceful to.
    if (publicListening !== undefined) {
      await publicListening;
      await sleep(options.shutdownGracePeriodMs);
      const style = options.drain === 'naive' ? 'naive' : 'polite';
      const timeoutMs = options.shutdownTimeoutMs;
      await drain(site, { style, quietMs: options.drainQuietMs, timeoutMs }, log);
      const spentMs = (monotonicUs() - begunUs) / 1000;
      storeTimeMs = Math.max(options.shutdownGracePeriodMs + timeoutMs - spentMs, storePatienceMs);
    }
    const closed = await Promise.race([
      store.close().then(
        () => true,
        (error: unknown) => {
          log.event('warning', { message: `the store did not close: ${String(error)}` });
          return true;
        },
      ),
      sleep(storeTimeMs, false),
    ]);
    if (!closed) log.event('drain-timeout', { waitingFor: 'store' });
    log.event('exit', { code: 0, storeClosed: closed });
    if (closed) process.exit(0);
    exitNow(0);
  };
  if (options.drain !== 'none') {
    // `on`, not `once`: a second signal must find a handler, or it would kill.
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void leave(signal));
  }

  try {
    await internalListening;
    log.event('internal-listening', { address: internal.address() });
    const [pragmas, backlog] = await Promise.all([
      store.opened.then((effective) => (announce({ pragmas: effective }), effective)),
      inheritedFd === undefined ? longBacklog : backlogOf(inheritedFd, log),
      sleep(options.warmUpMs),
    ]);
    void pragmas;
    if (isStopping(phase)) return;
    publicListening = listen(site.server, inheritedFd ?? options.listenAddress, backlog);
    await publicListening;
    log.event('accepting', { address: site.server.address(), backlog });
    if (isStopping(phase)) return;
    phase = 'ready';
    log.event('ready');
  } catch (error) {
    announce({});
    fail(log, error instanceof Error ? error.message : String(error));
  }
}
