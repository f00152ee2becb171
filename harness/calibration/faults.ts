/** The ways in which the calibration server fails on purpose, and what a client must see of each. */
import type { Outcome } from '../run/ledger.ts';

/** What is done to every tenth request (`accept-rst`: to every third connection), or to the listener. */
export const faults = [
  'none',
  'rst',
  'fin',
  'truncated',
  'rst-in-body',
  'chunks-cut',
  'close',
  '503',
  'hang',
  'accept-rst',
  'no-http',
] as const;

/** A fault by name. */
export type Fault = (typeof faults)[number];

/** How often a request meets the fault. */
export const faultEvery = 10;

interface FaultFacts {
  /** What the server does, for the table's reader. */
  readonly what: string;
  /** The outcome of a request that met it. */
  readonly outcome: Outcome;
}

const facts: Record<Fault, FaultFacts> = {
  none: { what: 'answers all', outcome: 'ok' },
  rst: { what: 'reads the request, then resets the connection', outcome: 'reset' },
  fin: { what: 'reads the request, then closes without an answer', outcome: 'closed' },
  truncated: { what: 'sends half of the body, then closes', outcome: 'truncated' },
  'rst-in-body': { what: 'sends half of the body, then resets', outcome: 'truncated' },
  'chunks-cut': { what: 'sends a chunk of a chunked body, then closes', outcome: 'truncated' },
  close: { what: 'answers 200 with Connection: close, then closes', outcome: 'ok' },
  '503': { what: 'answers 503', outcome: 'status-503' },
  hang: { what: 'reads the request and never answers', outcome: 'timeout' },
  'accept-rst': { what: 'accepts the connection, then resets it', outcome: 'reset' },
  'no-http': { what: 'answers with bytes that are no HTTP', outcome: 'parse' },
};

/** What a fault is and what a client must see of it. */
export function factsOf(fault: Fault): FaultFacts {
  return facts[fault];
}

/** What the server is told to do. */
export interface ServerTask {
  readonly fault: Fault;
  /** The listener and every connection are gone for so long; 0 is never. */
  readonly awayMs: number;
}

/** What the server says: its port first, its counts when asked. */
export type ServerMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | {
      readonly kind: 'counts';
      /** Requests read to their end. */
      readonly arrivals: number;
      /** Request ids that arrived more than once. */
      readonly repeatedIds: number;
      /** Requests, or with `accept-rst` connections, that met the fault. */
      readonly faulted: number;
      /** CLOCK_MONOTONIC microseconds from which nobody listened, and from which somebody did again. */
      readonly awayFromUs: number | null;
      readonly awayToUs: number | null;
    };
