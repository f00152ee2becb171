/**
 * The load: every slot's request leaves when it is due, whatever became of those before it (open model), and is
 * settled exactly once. Nothing is ever sent again.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { monotonicUs } from '../../base/clock.ts';
import { assignments, dueUsOf, lateAboveMs, slotCount, type Assignment } from '../../experiment/load-schedule.ts';
import { noConnectionFree, serverHeldAll } from '../../run/failure-words.ts';
import { isDropped, type LedgerRow } from '../../run/files/ledger.ts';
import { assertRow } from './assert-row.ts';
import { ConnectionPool } from '../connection/connection-pool.ts';
import { Exchange } from './exchange.ts';
import { shareOfSlots, slotOfShare, slotsDueBy, wholeShare, type SlotShare } from './pacer.ts';
import type { PacerTask } from './pacer-thread.ts';
import { withChecks, type CheckedEntry } from './mixed-request.ts';
import { noCounts, type LoadCounts, type LoadPlan, type LoadResult } from './plan.ts';
import { prepareRequest } from './request.ts';
import type { RequestPool } from '../connection/request-pool.ts';
import { StreamPool } from '../connection/stream-pool.ts';

/** How often passed deadlines are looked for: the resolution of `timeout` and `unsent`. */
const deadlineTickMs = 20;
/**
 * The share of its deadline that a request may wait for a free connection. One sent later would be called the server's
 * failure though the generator left it no time.
 */
const connectionWaitShare = 0.5;
/** How long requests under way may still take when a load is cut short. */
const stopGraceMs = 2_000;

/** A load that has been prepared: the pacing thread is up, the clock has not begun. */
export interface PreparedLoad {
  /** Begins; slot 0 is due at `originUs` (CLOCK_MONOTONIC). Resolves when every due request is settled. */
  run(originUs: number): Promise<LoadResult>;
  /** Ends the load after the first `slots` slots (default: those due by now); those due already are settled all the same. */
  finish(slots?: number): void;
  /** Sends nothing more; requests under way get two seconds. */
  stop(): void;
  counts(): LoadCounts;
}

/**
 * Prepares a load.
 * @param record takes each row as it is settled
 * @param share which of the plan's slots are sent: all, or one thread's part of them
 * @throws when a request is settled twice or not at all, or its row breaks a rule: the ledger could not be trusted
 */
export async function prepareLoad(
  plan: LoadPlan,
  record: (row: LedgerRow) => void,
  share = wholeShare,
): Promise<PreparedLoad> {
  const stopCell = new Int32Array(new SharedArrayBuffer(4));
  const slots = slotCount(plan.ratePerSecond, plan.durationMs);
  const workerData: PacerTask = { ratePerSecond: plan.ratePerSecond, slots, share, stop: stopCell };
  const pacer = new Worker(new URL('./pacer-thread.ts', import.meta.url), { workerData });
  await once(pacer, 'message');
  return new Load({ ...plan, mix: await withChecks(plan.mix) }, record, share, { pacer, stopCell });
}

interface CheckedPlan extends LoadPlan {
  readonly mix: readonly CheckedEntry[];
}

interface Pacing {
  readonly pacer: Worker;
  /** 1 in its only place stops the pacer. */
  readonly stopCell: Int32Array;
}

class Load implements PreparedLoad {
  private readonly plan: LoadPlan;
  private readonly record: (row: LedgerRow) => void;
  private readonly share: SlotShare;
  private readonly pacing: Pacing;
  private readonly assignmentOf: (seq: number) => Assignment<CheckedEntry>;
  private readonly pool: RequestPool;
  /** Of requests that are settled; `due` apart. */
  private readonly tally = noCounts();
  /** Unsettled requests by due time. All have the same time from it, so this is the order of their deadlines too. */
  private readonly underWay: Exchange[] = [];
  /** Those before this place in `underWay` are settled. */
  private oldest = 0;
  private slots: number;
  /** How many of the slots are this share's. */
  private count: number;
  private originUs = 0;
  /** When the next slot is due (CLOCK_MONOTONIC); never before the load begins. */
  private nextDueUs = Infinity;
  private stopped = false;
  /** When the server last completed an answer. */
  private lastAnswerUs = -1;
  private ticker: NodeJS.Timeout | undefined;
  private readonly ended = Promise.withResolvers<LoadResult>();

  constructor(plan: CheckedPlan, record: (row: LedgerRow) => void, share: SlotShare, pacing: Pacing) {
    this.plan = plan;
    this.record = record;
    this.share = share;
    this.pacing = pacing;
    this.assignmentOf = assignments(plan.mix, plan.connections, plan.seed);
    const Pool = plan.http === '2' ? StreamPool : ConnectionPool;
    this.pool = new Pool(plan, () => this.sendDue(monotonicUs()));
    this.slots = slotCount(plan.ratePerSecond, plan.durationMs);
    this.count = shareOfSlots(this.slots, share);
  }

  counts(): LoadCounts {
    return { ...this.tally, sent: this.pool.carried };
  }

  async run(originUs: number): Promise<LoadResult> {
    const { pacer } = this.pacing;
    this.originUs = originUs;
    this.nextDueUs = originUs;
    this.ticker = setInterval(() => this.expire(), deadlineTickMs);
    pacer.on('error', this.ended.reject);
    pacer.on('message', () => this.sendDue(monotonicUs()));
    pacer.postMessage(originUs);
    if (this.count === 0) this.end(false);
    return await this.ended.promise;
  }

  finish(slots?: number): void {
    const wanted = slots ?? slotsDueBy(monotonicUs() - this.originUs, this.plan.ratePerSecond, Infinity);
    if (this.stopped || wanted >= this.slots) return;
    this.slots = wanted;
    // What was due already cannot be taken back.
    this.count = Math.max(shareOfSlots(wanted, this.share), this.tally.due);
    if (this.tally.due < this.count) return;
    this.nextDueUs = Infinity;
    if (this.tally.settled === this.tally.due) this.end(false);
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    Atomics.store(this.pacing.stopCell, 0, 1);
    Atomics.notify(this.pacing.stopCell, 0);
    const { tally } = this;
    if (tally.settled === tally.due) this.end(true);
    else setTimeout(() => tally.settled < tally.due && this.end(true), stopGraceMs);
  }

  private sendDue(nowUs: number): void {
    const { tally, share } = this;
    if (nowUs < this.nextDueUs || this.stopped) return;
    const { ratePerSecond } = this.plan;
    const due = shareOfSlots(slotsDueBy(nowUs - this.originUs, ratePerSecond, this.slots), share);
    while (tally.due < due) this.sendSlot(slotOfShare(tally.due, share));
    const isLast = tally.due >= this.count;
    this.nextDueUs = isLast ? Infinity : this.originUs + dueUsOf(slotOfShare(tally.due, share), ratePerSecond);
  }

  private sendSlot(seq: number): void {
    const { plan, originUs } = this;
    const { entry, connection } = this.assignmentOf(seq);
    const dueUs = dueUsOf(seq, plan.ratePerSecond);
    const request = prepareRequest(plan, entry, seq, connection);
    const { trial, versionHeader } = plan;
    const exchange = new Exchange(
      { trial, seq, dueUs, originUs, deadlineUs: plan.deadlineMs * 1000, connection, request, versionHeader },
      (row) => this.settled(row),
    );
    this.tally.due++;
    if (exchange.now() - dueUs > lateAboveMs * 1000) this.tally.lateDueUs.push(dueUs);
    this.underWay.push(exchange);
    this.pool.send(exchange);
  }

  private settled(row: LedgerRow): void {
    const { tally, plan } = this;
    assertRow(row, plan);
    tally.settled++;
    if (row.sentUs !== null) tally.sent++;
    if (row.bodyCrc32 !== null) this.lastAnswerUs = row.doneUs;
    if (row.outcome === 'ok') tally.ok++;
    if (isDropped(row.outcome)) tally.dropped++;
    if (row.outcome === 'unsent') tally.unsent++;
    if (row.outcome === 'local') tally.local++;
    this.record(row);
    if (tally.settled === tally.due && (tally.due === this.count || this.stopped)) this.end(false);
  }

  private expire(): void {
    const { underWay } = this;
    const nowUs = monotonicUs() - this.originUs;
    const deadlineUs = this.plan.deadlineMs * 1000;
    // Before connections expire: the place that one leaves must not go to a request that has no time left for it.
    for (const exchange of this.pool.takeWaiting(nowUs - deadlineUs * connectionWaitShare)) {
      const error = this.lastAnswerUs < exchange.slot.dueUs ? serverHeldAll : noConnectionFree;
      exchange.settle('unsent', { status: null, bytes: 0, error });
    }
    for (; this.oldest < underWay.length; this.oldest++) {
      const exchange = underWay[this.oldest];
      if (exchange === undefined || (!exchange.settled && exchange.slot.dueUs > nowUs - deadlineUs)) break;
      if (!exchange.settled) exchange.carrier?.expire();
    }
    if (this.oldest > 4_096) {
      underWay.splice(0, this.oldest);
      this.oldest = 0;
    }
  }

  private end(cutShort: boolean): void {
    clearInterval(this.ticker);
    this.pool.close();
    const unfinished = this.tally.due - this.tally.settled;
    if (!cutShort && unfinished !== 0) {
      this.ended.reject(
        new Error(`${unfinished} due requests were never settled; this is a bug of the load generator`),
      );
    }
    void this.pacing.pacer.terminate();
    this.ended.resolve({ ...this.tally, aborted: this.stopped, unfinished });
  }
}
