/** One request on its way: from its slot to its single outcome. */
import { monotonicUs } from '../../base/clock.ts';
import {
  deadlineWords,
  limitWords,
  outcomeOfAnswer,
  outcomeOfDeadline,
  outcomeOfEnd,
  outcomeOfError,
  type Step,
} from '../../run/failure-words.ts';
import { isOwnFault, type LedgerRow, type Outcome } from '../../run/files/ledger.ts';
import type { Answer, AnswerError } from '../connection/answer.ts';
import type { PreparedRequest } from './request.ts';

/** What was seen of an answer when its request was settled. */
export interface Seen {
  readonly status: number | null;
  readonly bytes: number;
}

/** The same, and what else a row needs. */
interface SeenToEnd extends Seen {
  readonly error: string | null;
  /** The complete answer. */
  readonly answer?: Answer;
}

/** The slot of a request, and what the schedule has it send. */
export interface Slot extends Pick<LedgerRow, 'trial' | 'seq' | 'dueUs' | 'connection'> {
  /** CLOCK_MONOTONIC of the load's origin. */
  readonly originUs: number;
  /** The time from its due time to its complete answer. */
  readonly deadlineUs: number;
  readonly request: PreparedRequest;
  /** The header by which an answer names its version; left out: X-App-Version. */
  readonly versionHeader?: string | undefined;
}

/** The connection, or the stream of one, that carries a request. */
interface Carrier {
  /** Gives the request the outcome of a passed deadline. */
  expire(): void;
}

/** A request on its way. It is settled exactly once; settling it again is a bug and throws. */
export class Exchange {
  readonly slot: Slot;
  sentUs: number | null = null;
  connectedUs: number | null = null;
  /** When its handshake was done, where its connection is new and speaks TLS. */
  securedUs: number | null = null;
  isResumed = false;
  firstByteUs: number | null = null;
  streamId: number | null = null;
  /** Where it went, if not to the load's first address. */
  address: string | undefined;
  /** The shortest round trip of its connection, if that was used before. */
  rttUs: number | null = null;
  step: Step = 'connect';
  settled = false;
  carrier: Carrier | null = null;
  private readonly onSettled: (row: LedgerRow) => void;

  constructor(slot: Slot, onSettled: (row: LedgerRow) => void) {
    this.slot = slot;
    this.onSettled = onSettled;
  }

  /** Microseconds since the run's origin. */
  now(): number {
    return monotonicUs() - this.slot.originUs;
  }

  /** It is given to a connection, to be sent at once or when that stands. @param movedTo see `address` */
  begin(carrier: Carrier, movedTo: string | undefined): void {
    this.carrier = carrier;
    this.address = movedTo;
    this.sentUs = this.now();
  }

  /** It is taken back from a connection that has not sent it. */
  takenBack(): void {
    this.carrier = null;
    this.address = undefined;
    this.isResumed = false;
    this.step = 'connect';
    [this.sentUs, this.connectedUs, this.securedUs, this.streamId] = [null, null, null, null];
  }

  /** The TLS handshake of its connection is done. */
  secured(isResumed: boolean): void {
    this.securedUs = this.now();
    this.isResumed = isResumed;
  }

  /** The shorter of `before` and the time that connecting, or waiting for the answer, took. */
  shortestTripUs(before: number | null): number | null {
    const { sentUs, connectedUs, firstByteUs } = this;
    // An answer that was there before its request tells nothing.
    if (sentUs === null || firstByteUs === null || firstByteUs <= sentUs) return before;
    return Math.min(before ?? Infinity, (connectedUs ?? firstByteUs) - sentUs);
  }

  /** Its answer is complete. */
  answered(answer: Answer): void {
    const { expectedStatus, isExpectedBody, check } = this.slot.request;
    const { status, body, bodyBytes: bytes } = answer;
    const outcome = outcomeOfAnswer(status, expectedStatus, isExpectedBody?.(body) ?? true);
    const error = outcome === 'ok' ? (check?.missedBy(answer) ?? null) : null;
    this.settle(error === null ? outcome : 'wrong', { status, bytes, answer, error });
  }

  /** Records the outcome. One that comes after the deadline is recorded as a passed deadline, whatever it was. */
  settle(outcome: Outcome, seen: SeenToEnd): void {
    if (this.settled) throw new Error(`slot ${this.slot.seq} was settled twice (${outcome})`);
    this.settled = true;
    this.carrier = null;
    const doneUs = this.now();
    const isLate = doneUs - this.slot.dueUs > this.slot.deadlineUs && !isOwnFault(outcome);
    if (!isLate) {
      this.onSettled(this.rowOf(doneUs, outcome, seen));
      return;
    }
    const { status, bytes } = seen;
    const late = { status, bytes, error: deadlineWords(this.step) };
    this.onSettled(this.rowOf(doneUs, outcomeOfDeadline(this.step), late));
  }

  private rowOf(doneUs: number, outcome: Outcome, { status, bytes, answer, error }: SeenToEnd): LedgerRow {
    const { trial, seq, dueUs, connection, request, versionHeader = 'x-app-version' } = this.slot;
    const row: LedgerRow = {
      trial,
      seq,
      dueUs,
      sentUs: this.sentUs,
      connectedUs: this.connectedUs,
      firstByteUs: this.firstByteUs,
      doneUs,
      method: request.method,
      path: request.path,
      requestId: request.requestId,
      connection,
      outcome,
      status,
      bytes,
      bodyCrc32: answer?.bodyCrc32 ?? null,
      instance: answer?.headers.get('x-app-instance') ?? null,
      version: answer?.headers.get(versionHeader) ?? null,
      error,
    };
    // Only rows that need these fields have them: the ledger stays shorter and is read faster.
    if (request.name !== undefined) Object.assign(row, { request: request.name });
    if (this.address !== undefined) Object.assign(row, { address: this.address });
    if (this.securedUs !== null) Object.assign(row, { securedUs: this.securedUs });
    if (this.isResumed) Object.assign(row, { isResumed: true });
    if (request.fields !== undefined) Object.assign(row, { protocol: 'h2' });
    if (this.streamId !== null) Object.assign(row, { streamId: this.streamId });
    if (answer?.hasNoLength === true) Object.assign(row, { hasNoLength: true });
    const isCut = outcome === 'reset' || outcome === 'closed';
    if (isCut && this.rttUs !== null) Object.assign(row, { rttUs: this.rttUs });
    return row;
  }
}

/** Settles a request whose answer is not complete. */
export type Settling = (exchange: Exchange, seen: Seen) => void;

/** Its connection or stream failed. @param word the system's, or TLS's */
export function failed(word: string): Settling {
  return (exchange, seen) => {
    const { step } = exchange;
    exchange.settle(outcomeOfError(word, step), { ...seen, error: `${word}, ${step}` });
  };
}

/** The peer closed its connection. @param word how it did */
export function closed(word: string): Settling {
  return (exchange, seen) => {
    const { step } = exchange;
    exchange.settle(outcomeOfEnd(step), { ...seen, error: `${word}, ${step}` });
  };
}

/** Its answer is not read on. */
export function refused({ outcome, message }: AnswerError): Settling {
  const error = outcome === 'local' ? limitWords(message) : message;
  return (exchange, seen) => exchange.settle(outcome, { ...seen, error });
}

/** Its deadline has passed. */
export const expired: Settling = (exchange, seen) => {
  const { step } = exchange;
  exchange.settle(outcomeOfDeadline(step), { ...seen, error: deadlineWords(step) });
};
