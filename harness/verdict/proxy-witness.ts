/** The proxy's access log against the ledger: did every request arrive that was sent, once, and get the same answer? */
import type { AccessLine } from '../run/access-log.ts';
import type { LedgerRow } from '../run/ledger.ts';
import { numberAfter } from './request-id.ts';

/** How the two records compare; all but `arrived` and `ledgerSent` must be 0. */
export interface ProxyWitness {
  /** Requests of the load in the proxy's log. */
  readonly arrived: number;
  /** Rows of the ledger whose request was written to a connection. */
  readonly ledgerSent: number;
  /** Written by the client, not in the log. */
  readonly missing: number;
  /** In the log, but by the ledger never written. */
  readonly extra: number;
  /** In the log more than once. */
  readonly repeated: number;
  /** The ledger's status is not the log's. */
  readonly disagreeing: number;
}

/** Takes all lines, then all rows, and compares them by request id, in a few bytes a request. */
export class ProxyWitnessCount {
  private readonly prefix: string;
  private readonly times: Uint8Array;
  private readonly status: Uint16Array;
  private readonly written: Uint8Array;
  private arrived = 0;
  /** Lines of slots that the schedule does not have. */
  private stray = 0;
  private ledgerSent = 0;
  private missing = 0;
  private disagreeing = 0;

  /**
   * @param slots how many slots the schedule has
   * @param prefix what the request ids of this load begin with; the slot's number follows it
   */
  constructor(slots: number, prefix: string) {
    this.prefix = prefix;
    this.times = new Uint8Array(slots);
    this.status = new Uint16Array(slots);
    this.written = new Uint8Array(slots);
  }

  addLine(line: AccessLine): void {
    if (!line.requestId.startsWith(this.prefix)) return;
    this.arrived++;
    const seq = numberAfter(line.requestId, this.prefix.length);
    const times = this.times[seq];
    if (times === undefined) {
      this.stray++;
      return;
    }
    this.times[seq] = Math.min(255, times + 1);
    this.status[seq] = line.status;
  }

  addRow(row: LedgerRow): void {
    if (!wasWritten(row)) return;
    this.ledgerSent++;
    this.written[row.seq] = 1;
    if ((this.times[row.seq] ?? 0) === 0) this.missing++;
    else if (row.status !== null && row.status !== this.status[row.seq]) this.disagreeing++;
  }

  result(): ProxyWitness {
    const { arrived, ledgerSent, missing, disagreeing } = this;
    let extra = this.stray;
    let repeated = 0;
    for (const [seq, times] of this.times.entries()) {
      if (times > 1) repeated++;
      if (times > 0 && this.written[seq] === 0) extra++;
    }
    return { arrived, ledgerSent, missing, extra, repeated, disagreeing };
  }
}

/** Was the request written to a connection that stood? */
function wasWritten({ sentUs, connectedUs, firstByteUs, outcome, error }: LedgerRow): boolean {
  if (sentUs === null) return false;
  if (connectedUs !== null || firstByteUs !== null) return true;
  // On a connection that was open already there is no moment of connecting; a failure says in which step it came.
  return outcome !== 'local' && !(error?.endsWith(', connect') ?? false);
}
