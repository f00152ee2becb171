/** One request on its way: from its slot to its single outcome. */
import { monotonicUs } from '../../base/clock.ts';
import { deadlineWords, outcomeOfDeadline, type Step } from '../../run/failure-words.ts';
import { isOwnFault, type LedgerRow, type Outcome } from '../../run/files/ledger.ts';
import type { PreparedRequest } from './request.ts';
import type { Response } from '../connection/response-parser.ts';

/** What was seen of an answer when its request was settled. */
interface Seen {
  readonly status: number | null;
  readonly bytes: number;
  /** The complete answer. */
  readonly response?: Response;
  readonly error?: string;
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
  /** The connection that carries it. */
  carrier: { expire(): void } | null = null;
  private readonly onSettled: (row: LedgerRow) => void;

  constructor(slot: Slot, onSettled: (row: LedgerRow) => void) {
    this.slot = slot;
    this.onSettled = onSettled;
  }

  /** Microseconds since the run's origin. */
  now(): number {
    return monotonicUs() - this.slot.originUs;
  }

  /** Records the outcome. One that comes after the deadline is recorded as a passed deadline, whatever it was. */
  settle(outcome: Outcome, seen: Seen): void {
    if (this.settled) throw new Error(`slot ${this.slot.seq} was settled twice (${outcome})`);
    this.settled = true;
    this.carrier = null;
    const doneUs = this.now();
    if (doneUs - this.slot.dueUs <= this.slot.deadlineUs || isOwnFault(outcome)) {
      this.onSettled(this.rowOf(outcome, seen, doneUs));
      return;
    }
    const { status, bytes } = seen;
    const late = { status, bytes, error: deadlineWords(this.step) };
    this.onSettled(this.rowOf(outcomeOfDeadline(this.step), late, doneUs));
  }

  private rowOf(outcome: Outcome, { status, bytes, response, error }: Seen, doneUs: number): LedgerRow {
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
      bodyCrc32: response?.bodyCrc32 ?? null,
      instance: response?.headers.get('x-app-instance') ?? null,
      version: response?.headers.get(versionHeader) ?? null,
      error: error ?? null,
    };
    if (request.name !== undefined) Object.assign(row, { request: request.name });
    if (this.address !== undefined) Object.assign(row, { address: this.address });
    if (this.securedUs !== null) Object.assign(row, { securedUs: this.securedUs });
    if (this.isResumed) Object.assign(row, { isResumed: true });
    if (request.fields !== undefined) Object.assign(row, { protocol: 'h2' });
    if (this.streamId !== null) Object.assign(row, { streamId: this.streamId });
    // Only the few rows that need these two fields have them: the ledger stays shorter and is read faster.
    if (response?.framing === 'close') return { ...row, hasNoLength: true };
    const isCut = outcome === 'reset' || outcome === 'closed';
    return isCut && this.rttUs !== null ? { ...row, rttUs: this.rttUs } : row;
  }
}
