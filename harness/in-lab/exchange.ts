/** One request on its way: from its slot to its single outcome. */
import { monotonicUs } from '../base/clock.ts';
import { deadlineWords, outcomeOfDeadline, type Step } from '../run/failure-words.ts';
import type { PreparedRequest } from './request.ts';
import type { Response } from './response-parser.ts';
import { isOwnFault, type LedgerRow, type Outcome } from '../run/ledger.ts';

/** What was seen of an answer when its request was settled. */
interface Seen {
  readonly status: number | null;
  readonly bytes: number;
  /** The complete answer. */
  readonly response?: Response;
  readonly error?: string;
}

/** A request on its way. Settled exactly once; a second attempt to settle it is a bug and throws. */
export class Exchange {
  readonly seq: number;
  readonly dueUs: number;
  readonly connection: 'new' | 'kept';
  readonly request: PreparedRequest;
  sentUs: number | null = null;
  connectedUs: number | null = null;
  firstByteUs: number | null = null;
  /** Of the connection, where it was used before. */
  rttUs: number | null = null;
  step: Step = 'connect';
  settled = false;
  private readonly originUs: number;
  private readonly deadlineUs: number;
  private readonly onSettled: (exchange: Exchange, row: Omit<LedgerRow, 'trial'>) => void;

  constructor(options: {
    seq: number;
    dueUs: number;
    originUs: number;
    /** From its due time. */
    deadlineUs: number;
    connection: 'new' | 'kept';
    request: PreparedRequest;
    onSettled: (exchange: Exchange, row: Omit<LedgerRow, 'trial'>) => void;
  }) {
    this.seq = options.seq;
    this.dueUs = options.dueUs;
    this.originUs = options.originUs;
    this.deadlineUs = options.deadlineUs;
    this.connection = options.connection;
    this.request = options.request;
    this.onSettled = options.onSettled;
  }

  /** Microseconds since the run's origin. */
  now(): number {
    return monotonicUs() - this.originUs;
  }

  /** Records the one outcome; whatever ends after the deadline is given up, as what is still under way then. */
  settle(outcome: Outcome, seen: Seen = { status: null, bytes: 0 }): void {
    if (this.settled) throw new Error(`slot ${this.seq} was settled twice (${outcome})`);
    this.settled = true;
    const doneUs = this.now();
    if (doneUs - this.dueUs <= this.deadlineUs || isOwnFault(outcome)) {
      this.record(outcome, seen, doneUs);
      return;
    }
    const { status, bytes } = seen;
    this.record(outcomeOfDeadline(this.step), { status, bytes, error: deadlineWords(this.step) }, doneUs);
  }

  private record(outcome: Outcome, seen: Seen, doneUs: number): void {
    const row = {
      seq: this.seq,
      dueUs: this.dueUs,
      sentUs: this.sentUs,
      connectedUs: this.connectedUs,
      firstByteUs: this.firstByteUs,
      doneUs,
      method: this.request.method,
      path: this.request.path,
      requestId: this.request.requestId,
      connection: this.connection,
      outcome,
      status: seen.status,
      bytes: seen.bytes,
      bodyCrc32: seen.response?.bodyCrc32 ?? null,
      instance: seen.response?.headers.get('x-app-instance') ?? null,
      version: seen.response?.headers.get('x-app-version') ?? null,
      error: seen.error ?? null,
    };
    // Fields that few rows have are written for those only: a million others are read the quicker.
    if (seen.response?.framing === 'close') this.onSettled(this, { ...row, hasNoLength: true });
    else if (this.rttUs !== null && (outcome === 'reset' || outcome === 'closed'))
      this.onSettled(this, { ...row, rttUs: this.rttUs });
    else this.onSettled(this, row);
  }
}
