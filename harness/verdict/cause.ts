/**
 * Why a request was dropped: a cause is a line of a witness other than the client that shows it. A phase, or a time
 * window, alone is none.
 */
import type { EngineEvent } from '../run/engine-events.ts';
import type { LedgerRow } from '../run/ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import type { CheckStates } from '../run/check-states.ts';
import type { Failure, FailedTries } from './failed-tries.ts';
import type { Access, Site } from './request-table.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { UnplannedEnd } from './unplanned-ends.ts';
import { expectedBodyBytes } from '../run/site-requests.ts';

/** A line of a witness. */
interface Citation {
  /** Name of the file within the run's folder. */
  readonly file: string;
  /** Number of the line in it, from 1. */
  readonly line: number;
}

/** A drop explained. */
export interface Cause extends Citation {
  readonly cause: string;
  /** Why the proxy's last try failed, where it was that. */
  readonly failure?: Failure;
}

/** What causes are found in. */
export interface CauseSources {
  readonly hasProxy: boolean;
  readonly windows: readonly RestartWindow[];
  readonly unplanned: readonly UnplannedEnd[];
  readonly tries: FailedTries;
  readonly checks: CheckStates;
  readonly engine: readonly EngineEvent[];
  /** Wall clock of the engine's kernel at the run's origin, microseconds since 1970. */
  readonly originWallUs: number;
  /** When the proxy's log has it answer for the last time, by that clock; 0 where it answered nobody. */
  readonly proxyLastWallUs: number;
  /** Of the proxy's check: so long it may go on asking a colour that has closed its port; 0 without one. */
  readonly checkIntervalUs: number;
}

/** By so much the stamps of different witnesses of one moment may differ, on a machine that keeps processes waiting. */
export const toleranceUs = 50_000;

/** Client and site stamp by one clock, in microseconds, and each before it hands on: the order is strict, but for rounding. */
export const oneClockUs = 1_000;

/**
 * The proxy stamps by the wall clock, which is kept right while a run goes on: so far it may have been from where it was at
 * the run's beginning, beside what it was seen to move until the end.
 */
export const wallClockUs = 5_000;

/**
 * The engine tells of a container's end when it has cleaned up after it. From when on it was gone, the proxy's own log
 * tells better: it answers nobody any more.
 */
const toldLateUs = 1_000_000;

const failures: Record<Exclude<Failure, 'cancelled' | 'other'>, string> = {
  refused: 'refused: nobody listened at the backend’s port',
  reset: 'reset: the backend’s connection ended before the answer',
  timeout: 'timeout: the backend took no connection, or gave no answer, in time',
  'refused or reset': 'refused or reset: the proxy’s own log does not tell which',
};

/** The cause of a drop; null where no witness other than the client shows one. */
export function causeOf(
  row: LedgerRow,
  access: Access | null,
  site: readonly Site[],
  sources: CauseSources,
): Cause | null {
  const own = ofSite(row, site, sources);
  if (own !== null) return own;
  if (access !== null) return ofProxy(row, access, sources) ?? ofLostProxy(row, sources);
  if (sources.hasProxy) return ofLostProxy(row, sources);
  const span = [row.sentUs ?? row.dueUs, row.doneUs] as const;
  const closed = closedPort(...span, sources) ?? leaving(...span, sources);
  return closed === null
    ? null
    : { cause: 'the site’s port was closed, or its process was leaving', file: runFiles.timeline, line: closed };
}

/** What the site itself says of it. */
function ofSite(row: LedgerRow, site: readonly Site[], sources: CauseSources): Cause | null {
  const file = runFiles.requestLog;
  const said = site.find(({ status, isCut }) => !isCut && status !== null && status === row.status);
  if (said !== undefined && row.version !== null) {
    const { status, code, line } = said;
    if (row.outcome === 'wrong') return { cause: 'the site answered with another body than was asked for', file, line };
    return {
      cause: `the site itself answered ${status ?? ''}${code === '' || code === 'OK' ? '' : ` (${code})`}`,
      file,
      line,
    };
  }
  const cut = site.find(({ isCut }) => isCut);
  if (cut === undefined) return null;
  const { line } = cut;
  const span = [row.sentUs ?? row.dueUs, row.doneUs] as const;
  if (closedPort(...span, sources) !== null || leaving(...span, sources) !== null) {
    return { cause: 'the site’s process ended with the request under way', file, line };
  }
  // Whoever had begun to answer broke it off; a connection that died before that may have died of anything.
  return cut.status === null ? null : { cause: 'the site broke off its answer', file, line };
}

/** An answer that the proxy made up itself. */
function ofProxy(row: LedgerRow, access: Access, sources: CauseSources): Cause | null {
  const { status, line, hasBackend, startWallUs, durationUs } = access;
  const fromUs = startWallUs - sources.originWallUs;
  const endWallUs = startWallUs + durationUs;
  if (!hasBackend) {
    if (status === 404) return { cause: 'the proxy had no route', file: runFiles.accessLog, line };
    if (status !== 503) return null;
    const down = sources.checks.downLine(startWallUs - toleranceUs, endWallUs + toleranceUs);
    if (down !== null) {
      return { cause: 'the proxy’s check held no backend to be up', file: runFiles.proxyLog, line: down };
    }
    const turned = sources.checks.turnedDownLine(startWallUs, endWallUs);
    return turned === null
      ? null
      : {
          cause: 'the proxy had chosen a backend that its check was just finding down',
          file: runFiles.proxyLog,
          line: turned,
        };
  }
  if (passedOnWhole(row, access)) return null;
  const behind = sources.tries.behind(endWallUs);
  const failure = behind?.failure ?? 'refused or reset';
  if (failure === 'cancelled' || failure === 'other') return null;
  // An error outside of every restart says what happened, and not why.
  const span = [fromUs, fromUs + durationUs] as const;
  const closed = closedPort(...span, sources);
  if (closed === null && (failure === 'refused' || leaving(...span, sources) === null)) return null;
  return {
    cause: failures[failure],
    failure,
    ...(behind === null ? { file: runFiles.accessLog, line } : { file: runFiles.proxyLog, line: behind.line }),
  };
}

/** Did the proxy pass on all of the site's answer, which names its version? Then nothing behind it has failed. */
export function passedOnWhole(row: LedgerRow, { version, bytes }: Access): boolean {
  return version !== null && bytes >= (expectedBodyBytes(row) ?? Infinity);
}

/** A request that the proxy knows nothing of: was the proxy itself there? */
function ofLostProxy(row: LedgerRow, { engine, originWallUs, proxyLastWallUs }: CauseSources): Cause | null {
  const index = engine.findIndex(({ action, role }) => role === 'edge' && action === 'die');
  const ended = engine[index];
  const doneWallUs = originWallUs + row.doneUs;
  if (ended === undefined || ended.atWallUs > doneWallUs + toldLateUs) return null;
  // Who still answers others has not ended.
  if (proxyLastWallUs > doneWallUs + toleranceUs) return null;
  return { cause: 'the proxy’s container had ended', file: runFiles.engineEvents, line: index + 1 };
}

/** Was this known when a process died of a signal, or just after? Then it may have answered, and not yet written its line. */
export function diedBeforeItsLine(doneUs: number, windows: readonly RestartWindow[]): boolean {
  return windows.some(
    ({ retireUs, exitUs, acceptStoppedUs }) =>
      exitUs !== null && acceptStoppedUs === exitUs && doneUs >= (retireUs ?? exitUs) && doneUs <= exitUs + toleranceUs,
  );
}

/** The timeline's line of the end that left the port closed at some moment of this span; null where none did. */
function closedPort(fromUs: number, toUs: number, sources: CauseSources): number | null {
  for (const { acceptStoppedUs, acceptStoppedLine, acceptingUs } of sources.windows) {
    if (acceptStoppedUs === null) continue;
    // In a swap it is the old colour's port that closes, and the proxy goes on asking it until its check has noticed.
    const isSwap = acceptingUs !== null && acceptingUs < acceptStoppedUs;
    const endUs = isSwap ? acceptStoppedUs + 2 * sources.checkIntervalUs : (acceptingUs ?? Infinity);
    if (toUs >= acceptStoppedUs - toleranceUs && fromUs <= endUs + toleranceUs) return acceptStoppedLine;
  }
  const unplanned = sources.unplanned.find(
    ({ atUs, untilUs }) => toUs >= atUs - toleranceUs && fromUs <= untilUs + toleranceUs,
  );
  return unplanned?.line ?? null;
}

/** The same of a process that was leaving: it may reset what it has not answered. */
function leaving(fromUs: number, toUs: number, { windows }: CauseSources): number | null {
  for (const { retireUs, acceptStoppedUs, exitUs, acceptStoppedLine } of windows) {
    const beginUs = retireUs ?? acceptStoppedUs;
    if (beginUs === null) continue;
    const endUs = exitUs ?? acceptStoppedUs ?? beginUs;
    if (toUs >= beginUs - toleranceUs && fromUs <= endUs + toleranceUs) return acceptStoppedLine;
  }
  return null;
}
