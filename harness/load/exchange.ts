/** One request on its way: from its slot to its single outcome. */
import { crc32 } from 'node:zlib';
import { monotonicUs } from './clock.ts';
import type { Step } from './classify.ts';
import type { PreparedRequest } from './request.ts';
import type { Response } from './response-parser.ts';
import type { LedgerRow, Outcome } from './row.ts';

/** A request on its way. Settled exactly once; a second attempt to settle it is a bug and throws. */
export class Exchange {
  readonly seq: number;
  readonly dueUs: number;
  readonly connection: 'new' | 'kept';
  readonly request: PreparedRequest;
  sentUs: number | null = null;
  connectedUs: number | null = null;
  firstByteUs: number | null = null;
  step: Step = 'connect';
  settled = false;
  private readonly originUs: number;
  private readonly onSettled: (exchange: Exchange, row: Omit<LedgerRow, 'trial'>) => void;

  constructor(options: {
    seq: number;
    dueUs: number;
    originUs: number;
    connection: 'new' | 'kept';
    request: PreparedRequest;
    onSettled: (exchange: Exchange, row: Omit<LedgerRow, 'trial'>) => void;
  }) {
    this.seq = options.seq;
    this.dueUs = options.dueUs;
    this.originUs = options.originUs;
    this.connection = options.connection;
    this.request = options.request;
    this.onSettled = options.onSettled;
  }

  /** Microseconds since the run's origin. */
  now(): number {
    return monotonicUs() - this.originUs;
  }

  /** Records the one outcome. */
  settle(
    outcome: Outcome,
    seen: { status: number | null; bytes: number; response?: Response; error?: string } = { status: null, bytes: 0 },
  ): void {
    if (this.settled) throw new Error(`slot ${this.seq} was settled twice (${outcome})`);
    this.settled = true;
    this.onSettled(this, {
      seq: this.seq,
      dueUs: this.dueUs,
      sentUs: this.sentUs,
      connectedUs: this.connectedUs,
      firstByteUs: this.firstByteUs,
      doneUs: this.now(),
      method: this.request.method,
      path: this.request.path,
      requestId: this.request.requestId,
      connection: this.connection,
      outcome,
      status: seen.status,
      bytes: seen.bytes,
      bodyCrc32: seen.response === undefined ? null : crc32(seen.response.body),
      instance: seen.response?.headers.get('x-app-instance') ?? null,
      version: seen.response?.headers.get('x-app-version') ?? null,
      error: seen.error ?? null,
    });
  }
}
