/**
 * One row per due request: only what the client saw.
 * Times are microseconds of CLOCK_MONOTONIC in the engine's kernel, counted from the run's origin (the first due time).
 */

import type { Method } from '../base/methods.ts';

/** Outcomes that are not an HTTP status; see docs/glossary.md for each. */
export const plainOutcomes = [
  'ok',
  'refused',
  'connect-timeout',
  'reset',
  'closed',
  'truncated',
  'timeout',
  'wrong',
  'parse',
  'unreachable',
  'local',
  'unsent',
] as const;

/** Exactly one per due request. `status-N` is a complete answer with a status nobody asked for. */
export type Outcome = (typeof plainOutcomes)[number] | `status-${number}`;

const plain: ReadonlySet<string> = new Set(plainOutcomes);

/** Is it the word for an outcome? */
export function isOutcome(word: string): word is Outcome {
  return plain.has(word) || /^status-\d{3}$/u.test(word);
}

/** How a request may have got its connection. */
export const connectionKinds = ['new', 'kept'] as const;

/** One line of ledger.ndjson.gz. */
export interface LedgerRow {
  /** The slot's number, from 0: due at seq / rate. */
  readonly seq: number;
  /** Which repetition of the whole run, from 1. */
  readonly trial: number;
  /** When the schedule says the request leaves. */
  readonly dueUs: number;
  /** When its first byte was handed to the kernel; null when it never was. */
  readonly sentUs: number | null;
  /** When the new connection stood; null on a kept one, or when it never did. */
  readonly connectedUs: number | null;
  /** When the first byte of the answer arrived. */
  readonly firstByteUs: number | null;
  /** When the outcome was known. */
  readonly doneUs: number;
  readonly method: Method;
  readonly path: string;
  /** The id of the request header X-Request-Id. */
  readonly requestId: string;
  readonly connection: (typeof connectionKinds)[number];
  readonly outcome: Outcome;
  readonly status: number | null;
  /** Bytes of the answer's body that arrived. */
  readonly bytes: number;
  /** CRC-32 of the answer's body; null when it was not complete. */
  readonly bodyCrc32: number | null;
  /** Version and instance that the answer names. */
  readonly instance: string | null;
  readonly version: string | null;
  /** The system's word for what went wrong, with the step it went wrong in. */
  readonly error: string | null;
  /** The answer had no length, its end was the close of the connection: had it been cut, nobody could tell. */
  readonly hasNoLength?: true;
  /** Of a request that got not a byte back on a connection used before: the shortest round trip that the connection had. */
  readonly rttUs?: number;
}

/**
 * Was it due and sent, without a complete, expected answer?
 * `unsent` and `local` are the generator's own and never the server's.
 */
export function isDropped(outcome: Outcome): boolean {
  return outcome !== 'ok' && !isOwnFault(outcome);
}

/** Is it the generator's own failure, which says nothing about the server? */
export function isOwnFault(outcome: Outcome): boolean {
  return outcome === 'unsent' || outcome === 'local';
}
