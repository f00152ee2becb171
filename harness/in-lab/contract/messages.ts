/** What the doctor asks the program that examines a service in the lab's server, and what that program saw. */
import type { FirstWrite } from '../../run/run-record.ts';
import type { WritesQuestion } from '../deploy/writes-question.ts';
import type { PlanMixEntry } from '../load/plan.ts';

/** The service, as it is asked. */
export interface ContractPlan {
  readonly id: string;
  /** The first `{seq}`; left out: 1. */
  readonly firstSeq?: number;
  readonly hostHeader: string;
  readonly unit: string;
  readonly socket: string;
  readonly publicPort: number;
  readonly internalPort: number;
  readonly live: string | null;
  readonly ready: string | null;
  /** Where its version shows; null where it does not. */
  readonly version: { readonly header: string } | { readonly path: string } | null;
  readonly mix: readonly PlanMixEntry[];
  /** Names of requests that write, and where their ids are found; null where nobody says. */
  readonly writes: { readonly requests: readonly string[]; readonly question: WritesQuestion } | null;
  /** The longest wait for a start, and for a stop. */
  readonly startMs: number;
  readonly stopMs: number;
}

/** What the first writes are made of. */
export interface FirstWritesPlan extends Pick<ContractPlan, 'id' | 'firstSeq' | 'hostHeader' | 'publicPort' | 'mix'> {
  readonly writes: NonNullable<ContractPlan['writes']>;
}

/** One life of the process, from start to end. */
export type Life = 'drain' | 'second-signal' | 'crash' | 'busy-port' | 'socket';

/** A line of the doctor's: examine this life. */
export interface LifeRequest {
  readonly life: Life;
  /** Does systemd own the public port? */
  readonly isHanded: boolean;
  /** Does SIGTERM end it? Else lives end with SIGKILL, so that nobody waits for it. */
  readonly stops: boolean;
}

/** What came of a request: a status, or what the client saw in place of an answer. */
export type Result = number | 'refused' | 'reset' | 'closed' | 'timeout' | 'garbled';

/** Is it the expected status (null: any 2xx)? */
export function isOk(result: Result, expected: number | null): boolean {
  if (typeof result !== 'number') return false;
  return expected === null ? result >= 200 && result < 300 : result === expected;
}

/** Does somebody serve? What is expected wrongly is answered, too; a 5xx may be the warm-up, or the end. */
export function isServed(result: Result, expected: number | null): boolean {
  return isOk(result, expected) || (typeof result === 'number' && result < 500);
}

/** A request and its answer. All times here are CLOCK_MONOTONIC, in microseconds. */
export interface Told {
  readonly result: Result;
  readonly sentUs: number;
  readonly doneUs: number;
  /** Does the answer leave the connection open? */
  readonly keepsOpen: boolean;
}

/** A question that is asked again and again on new connections. */
export interface Sample extends Pick<Told, 'result' | 'sentUs' | 'doneUs'> {
  readonly of: 'public' | 'live' | 'ready';
}

/** A port that something listens on. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
  /** Length of its queue. */
  readonly backlog: number;
}

/** A process of the unit. */
export interface UnitProcess {
  readonly pid: number;
  readonly name: string;
  readonly isMain: boolean;
  /** Inodes of the sockets that it has open. */
  readonly sockets: readonly string[];
  /** LISTEN_PID of its environment; null where it is not set. */
  readonly listenPid: string | null;
}

/** The unit, as systemd has it. */
export interface UnitState {
  readonly activeState: string;
  readonly result: string;
  readonly mainPid: number;
  /** `exited`, `killed`, `dumped`; empty while it has not ended. */
  readonly ended: '' | 'exited' | 'killed' | 'dumped';
  /** The exit code, or the number of the signal. */
  readonly status: number;
  readonly restarts: number;
  readonly timeoutStopMs: number | null;
  readonly restart: string;
}

/** A start. */
export interface StartSeen {
  readonly startedUs: number;
  /** When the first request was answered as expected; null where none was. */
  readonly servedUs: number | null;
  readonly samples: readonly Sample[];
  readonly state: UnitState;
  readonly listeners: readonly Listener[];
  readonly processes: readonly UnitProcess[];
  /** The last lines that it said itself, where it did not serve. */
  readonly lastWords: readonly string[];
}

/** A request of the mix, asked some times in a row. */
export interface Measured {
  readonly name: string;
  readonly results: readonly Result[];
  readonly expected: number | null;
  readonly medianMs: number;
}

/** A request that was in flight at SIGTERM. */
export interface InFlight {
  readonly name: string;
  /** `slow`: sent, and not yet answered. `half`: its body's second half came after SIGTERM. */
  readonly kind: 'slow' | 'half';
  readonly expected: number | null;
  /** Null where it had been answered before the signal. */
  readonly told: Told | null;
}

/** A connection that was kept open over SIGTERM. */
export interface KeptSeen {
  /** `silent`: nothing was asked on it after SIGTERM. `used`: a request now and then, as a proxy does. */
  readonly kind: 'silent' | 'used';
  /** When its last answer was complete. */
  readonly lastAnswerUs: number;
  /** Did the last answer say that the connection ends? */
  readonly isAnnounced: boolean;
  /** When the service ended it; null where it had not when the process was gone. */
  readonly endedUs: number | null;
  /** A request was written, and no answer came. */
  readonly isRequestLost: boolean;
}

/** How a process ended, or did not. */
export interface StopSeen {
  /** The signal was sent between these two. */
  readonly askedUs: number;
  readonly orderedUs: number;
  /** When the main process was gone; null where it was not in time. */
  readonly goneUs: number | null;
  /** After that it was gone as soon as its kept connections were closed. */
  readonly waitedForIdle: boolean;
  readonly state: UnitState;
}

/** The version that the service shows, where it says so; null where it shows none. */
export interface VersionSeen {
  readonly shown: string | null;
}

export interface DrainSeen {
  readonly life: 'drain';
  readonly start: StartSeen;
  readonly measured: readonly Measured[];
  readonly version: VersionSeen;
  readonly keepsConnections: boolean;
  /** Is null where it never served. */
  readonly stop: StopSeen | null;
  readonly samples: readonly Sample[];
  readonly inFlight: readonly InFlight[];
  readonly kept: readonly KeptSeen[];
}

export interface SecondSignalSeen {
  readonly life: 'second-signal';
  readonly served: boolean;
  readonly version: VersionSeen;
  /** Null where no request of the mix can be in flight for long. */
  readonly inFlight: InFlight | null;
}

export interface CrashSeen {
  readonly life: 'crash';
  readonly served: boolean;
  readonly killedUs: number | null;
  /** When systemd had started another process; null where it never did. */
  readonly restartedUs: number | null;
  readonly servedAgainUs: number | null;
  readonly state: UnitState;
  /** One of each kind, made and looked for before it was killed. */
  readonly firstWrites: readonly FirstWrite[];
  readonly acknowledged: number;
  /** Ids that were acknowledged and are not stored; null where nobody could look. */
  readonly missing: readonly string[] | null;
  /** Why nobody could look. */
  readonly trouble: string | null;
}

export interface BusyPortSeen {
  readonly life: 'busy-port';
  readonly startedUs: number;
  readonly endedUs: number | null;
  readonly state: UnitState;
}

export interface SocketSeen {
  readonly life: 'socket';
  /** The socket's own listener before the service has started; null where the socket unit does not listen. */
  readonly before: Listener | null;
  readonly start: StartSeen;
  /** Where it did not serve: what it does when the port is free, and the socket is another. */
  readonly elsewhere: StartSeen | null;
  /** The inode of the socket unit's listener then. */
  readonly elsewhereInode: string | null;
  /** A connection that was made when the process had ended, and no other had begun. */
  readonly queued: { readonly told: Told; readonly isAnother: boolean } | null;
}

/** What was seen of one life. */
export type LifeSeen = DrainSeen | SecondSignalSeen | CrashSeen | BusyPortSeen | SocketSeen;

/** A line of the program's. */
export type ContractMessage =
  { readonly kind: 'doing'; readonly text: string } | { readonly kind: 'seen'; readonly seen: LifeSeen };
