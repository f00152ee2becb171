/** Judges all that was seen of a service. */
import type {
  BusyPortSeen,
  CrashSeen,
  DrainSeen,
  SecondSignalSeen,
  SocketSeen,
} from '../../in-lab/contract/messages.ts';
import { isServed } from '../../in-lab/contract/messages.ts';
import { resultsOf, type CheckResult, type Outcome } from './checks.ts';
import { judgeDrain, type DrainCheck } from './judge-drain.ts';
import { failed, notApplicable, openersOf, passed, wrapperOf, type Known } from './outcome.ts';

/** What was seen of each life; null where it was not looked at. */
export interface Seen {
  /** The life that most checks are about; a second time where the first one was doubtful. */
  readonly drains: readonly [DrainSeen, ...DrainSeen[]];
  readonly second: SecondSignalSeen | null;
  readonly crash: CrashSeen | null;
  readonly busy: BusyPortSeen | null;
  readonly socket: SocketSeen | null;
}

/** Checks in which lateness of the machine can look like a fault. */
const doubtful: readonly DrainCheck[] = ['live', 'ready-warm-up', 'ready-drain', 'in-flight', 'idle', 'accepting'];

/** A restart after a crash that takes longer waited for what the killed process has left. */
const slowRestartMs = 5_000;

/** Is it worth a second look? */
export function isDoubtful(known: Known, seen: DrainSeen): boolean {
  const outcomes = judgeDrain(known, seen);
  if (outcomes.sigterm.status === 'failed') return false;
  return doubtful.some((check) => outcomes[check].status === 'failed');
}

/** Does it serve, and does SIGTERM end it? */
export function lifeOf(known: Known, seen: DrainSeen): { serves: boolean; stops: boolean } {
  return {
    serves: judgeDrain(known, seen).binds.status === 'passed',
    stops: seen.stop !== null && seen.stop.goneUs !== null,
  };
}

/** What each check came to. */
export function judgeContract(known: Known, seen: Seen): CheckResult[] {
  const [first] = seen.drains;
  const drain = combined(seen.drains.map((life) => judgeDrain(known, life)));
  const wrapper = wrapperOf(known, first.start);
  const silent = notApplicable('it does not serve');
  const { serves } = lifeOf(known, first);
  const others = serves
    ? {
        'second-signal': judgeSecondSignal(seen.second, drain['in-flight'], wrapper),
        'busy-port': judgeBusyPort(known, seen.busy),
        crash: judgeCrash(known, seen.crash),
        writes: judgeWrites(known, seen.crash),
        version: judgeVersion(known, first, seen.second),
      }
    : { 'second-signal': silent, 'busy-port': silent, crash: silent, writes: silent, version: silent };
  const socket = judgeSocket(known, seen.socket, serves);
  const isTold = known.isHanded && !serves && socket.socket.status === 'failed';
  const binds = isTold ? notApplicable('it does not serve the socket that it is given, as told below') : drain.binds;
  return resultsOf({ ...drain, ...others, ...socket, binds });
}

/** A fault that is not seen again was the machine's. */
function combined(all: readonly Record<DrainCheck, Outcome>[]): Record<DrainCheck, Outcome> {
  const [first, ...others] = all;
  if (first === undefined) throw new Error('no life was seen');
  return others.reduce<Record<DrainCheck, Outcome>>((sum, next) => {
    const better = doubtful.filter((check) => sum[check].status === 'failed');
    return { ...sum, ...Object.fromEntries(better.map((check) => [check, next[check]])) };
  }, first);
}

function judgeSecondSignal(seen: SecondSignalSeen | null, inFlight: Outcome, wrapper: string | null): Outcome {
  if (seen?.served !== true) return notApplicable('it did not serve a second time');
  if (seen.inFlight === null) return notApplicable('no request of the mix is in flight for long');
  if (inFlight.status === 'failed') return notApplicable('the first SIGTERM cuts what is in flight');
  const { told, expected, name } = seen.inFlight;
  if (told === null) return notApplicable('it answered before the second signal came');
  if (isServed(told.result, expected)) return passed(`${name}, in flight at both: answered ${told.result}`);
  if (wrapper !== null) return notApplicable(`systemd signals ${wrapper}, not the service`);
  return failed<'second-signal'>(
    'crashes on the second SIGTERM',
    `${name}, in flight at both signals, was ${told.result}`,
  );
}

function judgeBusyPort({ listens }: Known, seen: BusyPortSeen | null): Outcome {
  if (listens === 'inherits') return notApplicable('it opens no port itself');
  if (seen === null) return notApplicable('it was not looked at');
  const { endedUs, startedUs, state } = seen;
  if (endedUs === null) return failed<'busy-port'>('stays up without its port', 'it never ended');
  const after = `after ${((endedUs - startedUs) / 1_000_000).toFixed(1)} s`;
  if (state.ended === 'exited' && state.status === 0) {
    return failed<'busy-port'>('exits with 0 when its port is taken', `it exited with 0 ${after}`);
  }
  return passed(`${state.ended === 'exited' ? 'exits with' : 'ends by signal'} ${state.status} ${after}`);
}

function judgeCrash({ hasUnit }: Known, seen: CrashSeen | null): Outcome {
  if (seen?.killedUs == null) return notApplicable('it did not serve before');
  const { killedUs, restartedUs, servedAgainUs, state } = seen;
  const ms = (us: number): string => `${Math.round((us - killedUs) / 1000)} ms`;
  if (restartedUs === null) {
    return failed<'crash'>('is not started again after a crash', `systemd left it dead; Restart=${state.restart}`);
  }
  if (servedAgainUs === null) {
    return failed<'crash'>(
      'does not come back after a crash',
      `started again after ${ms(restartedUs)}, and it never answered`,
    );
  }
  const late = (restartedUs - killedUs) / 1000 > slowRestartMs ? ', when its other processes had ended' : '';
  const by = hasUnit ? '' : ' (the unit is the lab’s, with Restart=on-failure)';
  return passed(`started again ${ms(restartedUs)} after SIGKILL, answers after ${ms(servedAgainUs)}${late}${by}`);
}

function judgeWrites({ hasWrites }: Known, seen: CrashSeen | null): Outcome {
  if (!hasWrites) return notApplicable('service.yaml has no `writes`: nobody can look');
  if (seen === null) return notApplicable('it did not serve before');
  const { firstWrites, acknowledged, missing, trouble } = seen;
  const absent = firstWrites.find(({ fate }) => fate === 'absent');
  if (absent !== undefined) {
    const { request, id, came } = absent;
    const what = came === '' ? 'gives nothing' : `gives others, such as ${JSON.stringify(came)}`;
    return failed<'writes'>(
      '`writes` does not find a write',
      `${request} was acknowledged, and before any restart \`writes\` ${what}, and not its id ${id}`,
    );
  }
  if (trouble !== null) return notApplicable(`nobody could look: ${trouble}`);
  if (acknowledged === 0 || missing === null) return notApplicable('it acknowledged no write');
  return missing.length === 0
    ? passed(`${acknowledged} of ${acknowledged} are there after SIGKILL`)
    : failed<'writes'>('loses acknowledged writes', `${missing.length} of ${acknowledged} are gone after SIGKILL`);
}

function judgeVersion({ hasVersion, release }: Known, first: DrainSeen, second: SecondSignalSeen | null): Outcome {
  if (!hasVersion) return notApplicable('service.yaml does not say where its version shows');
  const before = first.version.shown;
  if (before === null) return failed<'version'>('shows no version', 'no answer had it');
  if (release === null) return passed(`${before}; service.yaml does not say what a release is`);
  const after = second?.version.shown ?? null;
  if (after === null) return notApplicable('it did not serve after the release');
  const shows = release.setsVersion ? after.includes('v1') : after !== before;
  return shows
    ? passed(`${before}, and ${after} after a release`)
    : failed<'version'>('a release does not show', `${before}, and ${after} after a release`);
}

type SocketCheck = 'socket' | 'queue-length' | 'queued';

function judgeSocket(known: Known, seen: SocketSeen | null, serves: boolean): Record<SocketCheck, Outcome> {
  const all = (outcome: Outcome): Record<SocketCheck, Outcome> => ({
    socket: outcome,
    'queue-length': outcome,
    queued: outcome,
  });
  if (known.listens === 'itself') return all(notApplicable('service.yaml says listens: itself'));
  if (seen === null) return all(notApplicable(serves ? 'it was not looked at' : 'it does not serve'));
  if (seen.start.servedUs === null) {
    return { ...all(notApplicable('it does not serve the socket')), socket: judgeNotServing(known, seen) };
  }
  const inode = seen.before?.inode;
  const others = seen.start.listeners.filter(
    (listener) => listener.port === known.publicPort && listener.inode !== inode,
  );
  const [other] = others;
  if (seen.before === null || other !== undefined) {
    const what =
      other === undefined ? 'the socket unit does not listen' : `it opened ${other.address}:${other.port} beside it`;
    return { ...all(notApplicable(what)), socket: failed<'socket'>('binds the port although it got fd 3', what) };
  }
  return {
    socket: passed('it answers on the listener of the socket unit, and opened no other'),
    'queue-length': judgeQueueLength(seen.before.backlog, seen),
    queued: judgeQueued(seen),
  };
}

/** With the port free and the socket elsewhere: does it open the port, and whom does LISTEN_PID name? */
function judgeNotServing({ publicPort }: Known, { start, elsewhere, elsewhereInode }: SocketSeen): Outcome {
  const words = start.lastWords.slice(-2).join(' | ');
  const [opener] = elsewhere === null ? [] : openersOf(publicPort, elsewhere);
  if (opener === undefined)
    return failed<'socket'>('does not serve the socket', words === '' ? 'it does not answer' : words);
  const { pid, name, listenPid, sockets } = opener;
  if (
    listenPid === String(pid) ||
    (listenPid === null && elsewhereInode !== null && sockets.includes(elsewhereInode))
  ) {
    return failed<'socket'>(
      'binds the port although it got fd 3',
      `LISTEN_PID names ${name}, and it opens port ${publicPort} itself`,
    );
  }
  const wrapper = elsewhere?.processes.find((process) => String(process.pid) === listenPid);
  return failed<'socket'>(
    'LISTEN_PID broken by a shell wrapper',
    `LISTEN_PID names ${wrapper?.name ?? 'another process'} (${listenPid ?? 'it is not set'}), and ${name} (${pid}) is its child`,
  );
}

function judgeQueueLength(before: number, { start, before: listener }: SocketSeen): Outcome {
  const now = start.listeners.find(({ inode }) => inode === listener?.inode)?.backlog;
  if (now === undefined) return notApplicable('its listener was not found again');
  return now >= before
    ? passed(`${now} connections may wait`)
    : failed<'queue-length'>('shortens the queue of the socket', `${now} connections may wait in place of ${before}`);
}

function judgeQueued({ queued }: SocketSeen): Outcome {
  if (queued === null) return notApplicable('it was not looked at');
  const { told, isAnother } = queued;
  const waited = `${Math.round((told.doneUs - told.sentUs) / 1000)} ms`;
  return typeof told.result === 'number' && told.result < 500 && isAnother
    ? passed(`the next process answered after ${waited}`)
    : failed<'queued'>(
        'loses queued connections',
        `a connection made between two processes: ${told.result} after ${waited}`,
      );
}
