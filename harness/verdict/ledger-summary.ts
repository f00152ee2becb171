/** One pass over a ledger: every count and time that a verdict needs, in a few bytes a row. */
import { failureKindOf, type FailureKind } from '../run/failure-kind.ts';
import { isDropped, type LedgerRow } from '../run/ledger.ts';
import { Numbers } from './numbers.ts';
import { outagesOf, type RestartWindow } from './restart-windows.ts';
import { Silence } from './silence.ts';
import { FirstSpanMet, firstWhere, LastReached, SpansAt, type Span } from './span-lookup.ts';
import type { Tally } from './verdict.ts';
import { dueUsOf } from '../experiment/load-schedule.ts';
import { askedMs } from '../run/site-requests.ts';

export type { Span } from './span-lookup.ts';

/** What one restart did to the load. */
export interface RestartCounts {
  /** null where the outage window was not seen. */
  dueInOutage: number | null;
  dropped: number;
  /** Of them, those that a generator that stood still could have made itself. */
  droppedIfLate: number;
  /** By method and connection. */
  droppedByKind: Record<string, number>;
  /** null where nobody saw the old process being told to end. */
  inFlightAtSigterm: number | null;
  longestWaitUs: number | null;
  /** How late the latest request left whose due time lies in the restart's at-risk span; 0 when none was late. */
  latestUs: number;
}

/** What the ledger comes to. */
export interface LedgerSummary {
  readonly all: Tally;
  readonly byMethod: Record<string, Tally>;
  readonly byConnection: Record<string, Tally>;
  /** By method and connection: `POST kept`. */
  readonly byKind: Record<string, Tally>;
  readonly atRisk: { due: number; dropped: number; byMethod: Record<string, { due: number; dropped: number }> };
  /** Of the dropped, those that a generator that stood still could have made itself. */
  readonly droppedIfLate: number;
  /** Failed requests by kind. */
  readonly failureKinds: Partial<Record<FailureKind, number>>;
  /** Complete answers whose end was the close of the connection. */
  readonly withoutLength: number;
  /** Requests that a client which retries idempotent ones would have sent again. */
  readonly resendable: number;
  readonly perRestart: readonly RestartCounts[];
  /** Slots with no row, and slots with more than one. */
  readonly missingSlots: number;
  readonly repeatedSlots: number;
  /** Longest stretch of the schedule in which no request due in it was answered; null where no request left. */
  readonly silenceUs: number | null;
  /** Was the service gone when the load ended? */
  readonly isGoneAtEnd: boolean;
  /** From the due time of the first dropped request to that of the last; null where none was dropped. */
  readonly affectedUs: number | null;
  readonly longestWaitUs: number | null;
  readonly lag: { p50Us: number; p99Us: number; maxUs: number } | null;
  readonly achievedRate: number | null;
}

/** What rows are counted by. */
export interface SummaryTask {
  /** How many slots the schedule has. */
  readonly slots: number;
  readonly ratePerSecond: number;
  readonly windows: readonly RestartWindow[];
  /** Of each restart, the time in which a request is at risk. */
  readonly spans: readonly Span[];
}

/** Adds row after row; see {@link LedgerSummary} for what comes out. */
export class LedgerSummarizer {
  private readonly slots: number;
  private readonly spansAt: SpansAt;
  private readonly outagesAt: SpansAt;
  private readonly firstMet: FirstSpanMet;
  private readonly begun: LastReached;
  /** When each old process was told to end, rising. */
  private readonly sigterms: readonly { readonly atUs: number; readonly counts: RestartCounts }[];
  /** In the order in which they were first met, which is then that of the tallies' parts. */
  private readonly cells: Cell[] = [];
  private readonly cellOf = new Map<string, Map<string, Map<string, Cell>>>();
  private readonly atRisk: LedgerSummary['atRisk'] = { due: 0, dropped: 0, byMethod: {} };
  private readonly perRestart: RestartCounts[];
  private readonly seen: Uint8Array;
  private strayRows = 0;
  private readonly silence: Silence;
  private readonly lagsUs: Numbers;
  private firstSentUs = Infinity;
  private lastSentUs = -Infinity;
  private firstBadDueUs = Infinity;
  private lastBadDueUs = -Infinity;
  private longestWaitUs: number | null = null;
  private resendable = 0;
  private droppedIfLate = 0;
  private withoutLength = 0;
  private readonly failureKinds: Partial<Record<FailureKind, number>> = {};

  constructor({ slots, ratePerSecond, windows, spans }: SummaryTask) {
    this.slots = slots;
    this.silence = new Silence(slots, ratePerSecond);
    this.lagsUs = new Numbers(slots);
    this.spansAt = new SpansAt(spans);
    this.firstMet = new FirstSpanMet(spans);
    this.begun = new LastReached(windows.map(({ deployBeginUs }) => deployBeginUs));
    const outages = outagesOf(windows, dueUsOf(slots, ratePerSecond));
    this.outagesAt = new SpansAt(outages.map((outage) => outage ?? { fromUs: 0, toUs: 0 }));
    this.seen = new Uint8Array(slots);
    // A process that is killed, or dies of the signal, says nothing of it: the deploy does.
    const toldUs = windows.map(({ sigtermUs, retireUs }) => sigtermUs ?? retireUs);
    this.perRestart = windows.map((_, index) => ({
      dueInOutage: outages[index] == null ? null : 0,
      dropped: 0,
      droppedIfLate: 0,
      droppedByKind: {},
      inFlightAtSigterm: toldUs[index] == null ? null : 0,
      longestWaitUs: null,
      latestUs: 0,
    }));
    this.sigterms = this.perRestart
      .flatMap((counts, index) => {
        const atUs = toldUs[index];
        return atUs == null ? [] : [{ atUs, counts }];
      })
      .sort((a, b) => a.atUs - b.atUs);
  }

  add(row: LedgerRow): void {
    if (Number.isInteger(row.seq) && row.seq >= 0 && row.seq < this.slots) {
      this.seen[row.seq] = Math.min((this.seen[row.seq] ?? 0) + 1, 255);
    } else {
      this.strayRows++;
    }
    const dropped = isDropped(row.outcome);
    if (isResendable(row)) this.resendable++;
    this.addKind(row);
    const cell = this.findCell(row);
    cell.due++;
    if (row.sentUs !== null) cell.sent++;
    const atRisk = this.spansAt.at(row.dueUs);
    for (const index of atRisk) {
      const counts = this.perRestart[index];
      if (counts !== undefined && row.sentUs !== null)
        counts.latestUs = Math.max(counts.latestUs, row.sentUs - row.dueUs);
    }
    if (atRisk.length > 0) {
      for (const counts of [this.atRisk, (this.atRisk.byMethod[row.method] ??= { due: 0, dropped: 0 })]) {
        counts.due++;
        if (dropped) counts.dropped++;
      }
    }
    if (row.sentUs !== null) {
      this.lagsUs.push(row.sentUs - row.dueUs);
      this.firstSentUs = Math.min(this.firstSentUs, row.sentUs);
      this.lastSentUs = Math.max(this.lastSentUs, row.sentUs);
    }
    this.silence.add(row);
    if (dropped) {
      this.firstBadDueUs = Math.min(this.firstBadDueUs, row.dueUs);
      this.lastBadDueUs = Math.max(this.lastBadDueUs, row.dueUs);
    }
    this.addToRestarts(row, dropped);
  }

  private addKind(row: LedgerRow): void {
    if (row.hasNoLength === true) this.withoutLength++;
    const kind = failureKindOf(row);
    if (kind === null) return;
    this.failureKinds[kind] = (this.failureKinds[kind] ?? 0) + 1;
    if (couldBeLate(kind)) this.droppedIfLate++;
  }

  private findCell({ method, connection, outcome }: LedgerRow): Cell {
    const known = this.cellOf.get(method)?.get(connection)?.get(outcome);
    if (known !== undefined) return known;
    const cell = { method, connection, outcome, due: 0, sent: 0 };
    this.cells.push(cell);
    const byConnection = this.cellOf.get(method) ?? new Map<string, Map<string, Cell>>();
    const byOutcome = byConnection.get(connection) ?? new Map<string, Cell>();
    this.cellOf.set(method, byConnection.set(connection, byOutcome.set(outcome, cell)));
    return cell;
  }

  private addToRestarts(row: LedgerRow, dropped: boolean): void {
    const waitUs = row.outcome === 'ok' ? row.doneUs - row.dueUs - askedMs(row.path) * 1000 : null;
    if (waitUs !== null) this.longestWaitUs = Math.max(this.longestWaitUs ?? 0, waitUs);
    for (const index of this.outagesAt.at(row.dueUs)) {
      const counts = this.perRestart[index];
      if (counts?.dueInOutage != null) counts.dueInOutage++;
    }
    if (row.sentUs !== null) this.addInFlight(row.sentUs, row.doneUs);
    const counts = this.perRestart[this.restartOf(row, dropped)];
    if (counts === undefined) return;
    if (dropped) {
      counts.dropped++;
      if (couldBeLate(failureKindOf(row))) counts.droppedIfLate++;
      counts.droppedByKind[kindOf(row)] = (counts.droppedByKind[kindOf(row)] ?? 0) + 1;
    }
    if (waitUs !== null) counts.longestWaitUs = Math.max(counts.longestWaitUs ?? 0, waitUs);
  }

  /** Under way when an old process was told to end. */
  private addInFlight(sentUs: number, doneUs: number): void {
    const { sigterms } = this;
    let next = firstWhere(sigterms.length, (index) => (sigterms[index]?.atUs ?? Infinity) >= sentUs);
    for (; (sigterms[next]?.atUs ?? Infinity) < doneUs; next++) {
      const counts = sigterms[next]?.counts;
      if (counts?.inFlightAtSigterm != null) counts.inFlightAtSigterm++;
    }
  }

  /**
   * Index of the restart a row belongs to; −1 for none. A drop belongs to the first restart in whose at-risk span any
   * part of its life lies, since one that was in flight at SIGTERM was due before it; all else goes by due time.
   */
  private restartOf(row: LedgerRow, dropped: boolean): number {
    if (dropped) {
      const met = this.firstMet.indexOf(row.dueUs, row.doneUs);
      if (met >= 0) return met;
    }
    return this.begun.indexAt(row.dueUs);
  }

  private tallies(): Pick<LedgerSummary, 'all' | 'byMethod' | 'byConnection' | 'byKind'> {
    const all = newTally();
    const byMethod: Record<string, Tally> = {};
    const byConnection: Record<string, Tally> = {};
    const byKind: Record<string, Tally> = {};
    for (const cell of this.cells) {
      const { method, connection } = cell;
      for (const tally of [
        all,
        (byMethod[method] ??= newTally()),
        (byConnection[connection] ??= newTally()),
        (byKind[kindOf(cell)] ??= newTally()),
      ]) {
        tally.due += cell.due;
        tally.sent += cell.sent;
        if (isDropped(cell.outcome)) tally.dropped += cell.due;
        tally.outcomes[cell.outcome] = (tally.outcomes[cell.outcome] ?? 0) + cell.due;
      }
    }
    return { all, byMethod, byConnection, byKind };
  }

  result(): LedgerSummary {
    let missingSlots = 0;
    let repeatedSlots = this.strayRows;
    for (const times of this.seen) {
      if (times === 0) missingSlots++;
      if (times > 1) repeatedSlots++;
    }
    const lags = this.lagsUs.sorted();
    const sendingUs = this.lastSentUs - this.firstSentUs;
    return {
      ...this.tallies(),
      atRisk: this.atRisk,
      resendable: this.resendable,
      droppedIfLate: this.droppedIfLate,
      failureKinds: this.failureKinds,
      withoutLength: this.withoutLength,
      perRestart: this.perRestart,
      missingSlots,
      repeatedSlots,
      silenceUs: this.silence.longestUs(),
      isGoneAtEnd: this.silence.isGoneAtEnd(),
      affectedUs: this.lastBadDueUs >= this.firstBadDueUs ? this.lastBadDueUs - this.firstBadDueUs : null,
      longestWaitUs: this.longestWaitUs,
      lag:
        lags.length === 0
          ? null
          : { p50Us: quantile(lags, 0.5), p99Us: quantile(lags, 0.99), maxUs: lags[lags.length - 1] ?? 0 },
      // n requests span n − 1 intervals.
      achievedRate: lags.length > 1 && sendingUs > 0 ? ((lags.length - 1) * 1e6) / sendingUs : null,
    };
  }
}

/** Died on a connection that had carried another request before, unanswered, and safe to send twice. */
function isResendable({ method, connectedUs, sentUs, firstByteUs, outcome }: LedgerRow): boolean {
  return (
    method === 'GET' &&
    sentUs !== null &&
    connectedUs === null &&
    firstByteUs === null &&
    (outcome === 'reset' || outcome === 'closed')
  );
}

/**
 * A deadline passes, too, while nobody reads the answer that has come; and whoever is late writes on connections of whose
 * end it has not read yet.
 */
function couldBeLate(kind: FailureKind | null): boolean {
  return kind === 'hang' || kind === 'kept-connection race';
}

/** Rows of one kind and outcome. */
interface Cell extends Pick<LedgerRow, 'method' | 'connection' | 'outcome'> {
  due: number;
  sent: number;
}

function kindOf({ method, connection }: Pick<LedgerRow, 'method' | 'connection'>): string {
  return `${method} ${connection}`;
}

function newTally(): Tally {
  return { due: 0, sent: 0, dropped: 0, outcomes: {} };
}

/** Nearest-rank quantile of sorted values. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
