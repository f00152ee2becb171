/** The proxy's access log against the ledger: did every request arrive that was sent, once, and get the same answer? */
import type { AccessLine } from '../timeline/access-log.ts';
import type { LedgerRow } from '../load/row.ts';

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

/** Takes lines and rows in any order and compares them by request id, in a few bytes a request. */
export class ProxyWitnessCount {
  private readonly prefix: string;
  private readonly logged = new Map<number, { times: number; status: number }>();
  private readonly rows = new Map<number, number>();
  private ledgerSent = 0;

  /** @param prefix what the request ids of this load begin with; the slot's number follows it */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  addLine(line: AccessLine): void {
    if (!line.requestId.startsWith(this.prefix)) return;
    const seq = Number(line.requestId.slice(this.prefix.length));
    const before = this.logged.get(seq);
    this.logged.set(seq, { times: (before?.times ?? 0) + 1, status: line.status });
  }

  addRow(row: LedgerRow): void {
    if (!wasWritten(row)) return;
    this.ledgerSent++;
    this.rows.set(row.seq, row.status ?? 0);
  }

  result(): ProxyWitness {
    let missing = 0;
    let disagreeing = 0;
    for (const [seq, status] of this.rows) {
      const logged = this.logged.get(seq);
      if (logged === undefined) missing++;
      else if (status !== 0 && status !== logged.status) disagreeing++;
    }
    let arrived = 0;
    let extra = 0;
    let repeated = 0;
    for (const [seq, { times }] of this.logged) {
      arrived += times;
      if (times > 1) repeated++;
      if (!this.rows.has(seq)) extra++;
    }
    return { arrived, ledgerSent: this.ledgerSent, missing, extra, repeated, disagreeing };
  }
}

/** Was the request written to a connection that stood? */
function wasWritten({ sentUs, connectedUs, firstByteUs, outcome, error }: LedgerRow): boolean {
  if (sentUs === null) return false;
  if (connectedUs !== null || firstByteUs !== null) return true;
  // On a connection that was open already there is no moment of connecting; a failure says in which step it came.
  return outcome !== 'local' && !(error?.endsWith(', connect') ?? false);
}
