/** What the load generator is told, and what it says: lines of JSON. */
import type { ClockPair } from '../../base/clock.ts';
import type { ConnectionMode, MixEntry } from '../../experiment/load-schedule.ts';
import type { HoldKind } from '../../experiment/hold.ts';
import type { WatchedName } from '../connection/name-watch.ts';
import type { Outcome } from '../../run/files/ledger.ts';

/** One kind of request in the mix. */
export interface PlanMixEntry extends MixEntry {
  /** Present where the server is not the lab's site: what to send, and what to take for ok. */
  readonly fixed?: FixedRequest;
  /** The same of one of several, whose text may differ from slot to slot. */
  readonly mixed?: MixedRequest;
}

/** A request that is the same in every slot, its id apart. */
export interface FixedRequest {
  /** What is asked for, where the path in the ledger leaves a secret out; otherwise the path. */
  readonly target?: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The body's bytes as base64, since a plan is JSON; null without a body. */
  readonly bodyBase64: string | null;
  /** null stands for any status from 200 to 299. */
  readonly expectedStatus: number | null;
}

/** Text at even places; at odd ones what is filled in for each request: `id` or `seq`. */
export type Template = readonly string[];

/** One request of a mix that the user wrote. */
export interface MixedRequest {
  readonly name: string;
  readonly target: Template;
  readonly headers: readonly (readonly [string, Template])[];
  /** Bytes that are sent as they are, or text; null without a body. */
  readonly body: { readonly base64: string } | { readonly text: Template } | null;
  readonly expected: ExpectedAnswer;
}

/** What a text must be: one that it contains (a header: one that it is), or an expression that it matches. */
export type Matcher = { readonly text: string } | { readonly regex: string; readonly flags: string };

/** What an answer must be to be ok. */
export interface ExpectedAnswer {
  /** null stands for any status from 200 to 299. */
  readonly status: number | null;
  readonly headers: readonly (readonly [string, Matcher])[];
  readonly body: Matcher | null;
  /** Each JSON path (RFC 9535), and the value that all it selects must have. */
  readonly json: readonly (readonly [string, unknown])[];
}

/** How TLS is spoken. */
export interface TlsPlan {
  /** The URL's host: sent as SNI, and the name that the certificate must be for. */
  readonly serverName: string;
  /** Authorities to accept in place of Node's, PEM; null for Node's. */
  readonly ca: string | null;
  /** Accept any certificate. */
  readonly isInsecure: boolean;
  /** The client's own certificate and its key, PEM. */
  readonly cert: string | null;
  readonly key: string | null;
  /** May a new connection take up the session of one before it? */
  readonly resumes: boolean;
}

/** Connections that are held open beside the load. */
export interface HoldPlan {
  readonly kind: HoldKind;
  readonly count: number;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Where their rows go. */
  readonly path: string;
}

/** What became of them. */
export interface HoldCounts {
  /** Rows that were written: one for each time that a holder tried to open its connection. */
  readonly lives: number;
  readonly opened: number;
  readonly endedByService: number;
  readonly cut: number;
}

/** The whole plan of one load. */
export interface LoadPlan {
  readonly runId: string;
  readonly trial: number;
  readonly seed: number;
  /** An IP literal (a name could mean two connection attempts for one request), or the path of a Unix socket. */
  readonly host: string;
  /** null of a Unix socket. */
  readonly port: number | null;
  /** The name that stands for `host`, looked up again for new connections; left out or null: none. */
  readonly lookUp?: WatchedName | null;
  /** null where requests go in plain text. */
  readonly tls: TlsPlan | null;
  /** HTTP/2: over TLS by ALPN, in plain text by prior knowledge. Absent for HTTP/1.1. */
  readonly http?: '2';
  /** One for each site; the slots take turns. */
  readonly hostHeaders: readonly [string, ...string[]];
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly mix: readonly PlanMixEntry[];
  readonly connections: ConnectionMode;
  /** The time a request has from its due time to its complete answer. */
  readonly deadlineMs: number;
  /** Connections open at once; a request that finds none free waits, and is `unsent` at its deadline. */
  readonly maxConnections: number;
  /** Most bytes of an answer's head, and of its body; what is above is `local`, a limit of the generator's own. */
  readonly maxHeadBytes: number;
  readonly maxAnswerBytes: number;
  /** The header by which an answer names its version, in lower case; left out: x-app-version. */
  readonly versionHeader?: string;
  /** Notes that are written before the load begins, for `/notes/:id` to read. */
  readonly primedNotes: number;
  /** Where the ledger goes. */
  readonly ledgerPath: string;
  /** Threads that share the slots; 1 where one can hold the rate. */
  readonly threads: number;
  /** Left out where no connection is held. */
  readonly hold?: HoldPlan;
}

/**
 * What the harness tells the generator after the plan. `go` begins. `finish` schedules no slot ≥ `slots` (default: none
 * from now on) and waits for those that were due. `stop` breaks off: requests under way get two seconds.
 */
export type LoadCommand =
  { readonly kind: 'go' } | { readonly kind: 'finish'; readonly slots?: number } | { readonly kind: 'stop' };

/** What is counted while a load runs. */
const countNames = ['due', 'sent', 'settled', 'ok', 'dropped', 'unsent', 'local'] as const;

/** Counts so far. */
export interface LoadCounts extends Readonly<Record<(typeof countNames)[number], number>> {
  /** Due times, in microseconds since the origin, of the slots that left more than `lateAboveMs` late. */
  readonly lateDueUs: readonly number[];
}

/** What a load has come to. */
export interface LoadResult extends LoadCounts {
  readonly aborted: boolean;
  /** Requests under way when the load was cut short; they have no row. */
  readonly unfinished: number;
}

/** Counts to be added to: all zero. */
export function noCounts(): Record<(typeof countNames)[number], number> & { lateDueUs: number[] } {
  return { due: 0, sent: 0, settled: 0, ok: 0, dropped: 0, unsent: 0, local: 0, lateDueUs: [] };
}

/** The counts of several threads, added up. */
export function sumOfCounts(all: readonly LoadCounts[]): LoadCounts {
  const total = noCounts();
  for (const counts of all) {
    for (const name of countNames) total[name] += counts[name];
    total.lateDueUs.push(...counts.lateDueUs);
  }
  return total;
}

/** Most bytes of an answer that are read unless a plan says otherwise: curl's limit for the head, and 1 GiB. */
export const answerLimits = { maxHeadBytes: 300 * 1024, maxAnswerBytes: 2 ** 30 };

/** What one thread can send in a second; beyond it, requests leave late. Measured by `npm run bench`, with room. */
const threadHolds = { kept: 20_000, new: 5000 };
/** The same over TLS, where a request takes 0.1 to 0.2 ms of a core, and a handshake 1.4 ms. */
const threadHoldsSecure = { kept: 4000, new: 400 };
/** The same over HTTP/2, where a request takes 0.1 ms of a core at these rates, a session of Node’s 0.4 ms, and over TLS 1.5 ms. */
const streamsHold = { kept: 6000, new: 1000 };
const streamsHoldSecure = { kept: 4000, new: 300 };

/** How many threads a load takes, where there are so many cores. */
export function threadsFor(
  ratePerSecond: number,
  connections: ConnectionMode,
  cores: number,
  { isSecure = false, http }: { readonly isSecure?: boolean; readonly http?: '2' | undefined } = {},
): number {
  const [plain, secure] = http === '2' ? [streamsHold, streamsHoldSecure] : [threadHolds, threadHoldsSecure];
  const holds = isSecure ? secure : plain;
  const newShare = { kept: 0, mixed: 0.5, new: 1 }[connections];
  const needed = (ratePerSecond * newShare) / holds.new + (ratePerSecond * (1 - newShare)) / holds.kept;
  return Math.max(1, Math.min(Math.ceil(needed), cores));
}

/** What the generator tells the harness. */
export type LoadMessage =
  | { readonly kind: 'primed'; readonly notes: number }
  /** The server did not acknowledge a note that the load was to read: its fault, and not the generator's. */
  | { readonly kind: 'unprimed'; readonly note: number; readonly outcome: Outcome; readonly error: string | null }
  | { readonly kind: 'origin'; readonly originUs: number; readonly clock: ClockPair }
  | ({ readonly kind: 'progress'; readonly atUs: number } & LoadCounts)
  | ({
      readonly kind: 'done';
      /** Peak resident memory of the generator. */
      readonly peakRssKiB: number;
      /** Left out where no connection was held. */
      readonly held?: HoldCounts;
      readonly clock: ClockPair;
    } & LoadResult)
  | { readonly kind: 'error'; readonly message: string };
