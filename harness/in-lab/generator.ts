/**
 * The load: every slot's request leaves when it is due, whatever became of those before it (open model), and is
 * settled exactly once. Nothing is ever sent again.
 */
import { Worker } from 'node:worker_threads';
import { noConnectionFree, serverHeldAll } from '../run/failure-words.ts';
import { monotonicUs } from '../base/clock.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Exchange } from './exchange.ts';
import { shareOfSlots, slotOfShare, slotsDueBy, wholeShare } from './pacer.ts';
import type { PacerTask } from './pacer-thread.ts';
import { type LoadCounts, type LoadPlan } from './plan.ts';
import { prepareRequest } from './request.ts';
import { isDropped, type LedgerRow } from '../run/ledger.ts';
import { dueUsOf, slotCount, lateAboveMs, assignments } from '../experiment/load-schedule.ts';

/** How often passed deadlines are looked for: the resolution of `timeout` and `unsent`. */
const deadlineTickMs = 20;
/**
 * The share of its deadline that a request may wait for a free connection. One sent later would be called the server's
 * failure though the generator left it no time.
 */
const connectionWaitShare = 0.5;
/** How long requests under way may still take when a load is cut short. */
const stopGraceMs = 2_000;

/** What a load has come to. */
export interface LoadResult extends LoadCounts {
  readonly aborted: boolean;
  readonly unfinished: number;
}

/** A load that has been prepared: the pacing thread is up, the clock has not begun. */
export interface PreparedLoad {
  /** Begins; slot 0 is due at `originUs` (CLOCK_MONOTONIC). Resolves when every due request is settled. */
  run(originUs: number): Promise<LoadResult>;
  /** The load has only so many slots; every one that was due is settled, as late as its deadline. */
  finish(slots: number): void;
  /** No further slot is sent; requests under way get two seconds. */
  stop(): void;
  counts(): LoadCounts;
}

/**
 * Prepares a load.
 * @param record takes each row as it is settled
 * @param share which of the plan's slots are sent: all, or one thread's part of them
 * @throws when a request is settled twice or not at all: the ledger could not be trusted
 */
export async function prepareLoad(
  plan: LoadPlan,
  record: (row: LedgerRow) => void,
  share = wholeShare,
): Promise<PreparedLoad> {
  let slots = slotCount(plan.ratePerSecond, plan.durationMs);
  let count = shareOfSlots(slots, share);
  const stopCell = new SharedArrayBuffer(4);
  const workerData: PacerTask = { ratePerSecond: plan.ratePerSecond, slots, share, stop: stopCell };
  const pacer = new Worker(new URL('./pacer-thread.ts', import.meta.url), { workerData });
  await new Promise<void>((resolve, reject) => {
    pacer.once('message', () => resolve());
    pacer.once('error', reject);
  });

  const assignmentOf = assignments(plan.mix, plan.connections, plan.seed);
  const lateDueUs: number[] = [];
  const tally = { due: 0, sent: 0, settled: 0, ok: 0, dropped: 0, unsent: 0, local: 0 };
  const idle: Connection[] = [];
  const open = new Set<Connection>();
  const carrying = new Map<Exchange, Connection>();
  const waiting: Exchange[] = [];
  // All requests have the same time from their due time, so the order of due times is the order of deadlines.
  const underWay: Exchange[] = [];
  let oldest = 0;
  let origin = 0;
  /** When the next slot is due, on the clock's own scale; never before the load begins. */
  let nextDueUs = Infinity;
  let stopped = false;
  /** When the server last answered a request to its end. */
  let lastAnswerUs = -1;
  let finish: (result: LoadResult) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;

  const owner: ConnectionOwner = {
    turn: () => sendDue(monotonicUs()),
    idle: (connection) => {
      idle.push(connection);
      const next = waiting.shift();
      if (next !== undefined) send(next);
    },
    gone: (connection) => {
      open.delete(connection);
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
      const next = waiting.shift();
      if (next !== undefined) send(next);
    },
  };

  function carry(connection: Connection, exchange: Exchange): void {
    carrying.set(exchange, connection);
    connection.carry(exchange);
  }

  function send(exchange: Exchange): void {
    if (exchange.connection === 'kept') {
      // The one used last is the one least likely to be near its peer's idle timeout.
      for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
        if (connection.isUsable()) {
          carry(connection, exchange);
          return;
        }
        open.delete(connection);
        connection.discard();
      }
    }
    if (open.size >= plan.maxConnections) {
      // A new connection may take the place of an idle one; the cap is on what is open.
      const spare = exchange.connection === 'new' ? idle.shift() : undefined;
      if (spare === undefined) {
        waiting.push(exchange);
        return;
      }
      open.delete(spare);
      spare.discard();
    }
    const connection = new Connection(plan, owner, exchange);
    open.add(connection);
    carrying.set(exchange, connection);
  }

  function settled(exchange: Exchange, row: Omit<LedgerRow, 'trial'>): void {
    carrying.delete(exchange);
    tally.settled++;
    if (row.sentUs !== null) tally.sent++;
    if (row.bodyCrc32 !== null) lastAnswerUs = row.doneUs;
    if (row.outcome === 'ok') tally.ok++;
    if (isDropped(row.outcome)) tally.dropped++;
    if (row.outcome === 'unsent') tally.unsent++;
    if (row.outcome === 'local') tally.local++;
    record({ trial: plan.trial, ...row });
    if (tally.settled === tally.due && (tally.due === count || stopped)) end(false);
  }

  function sendDue(nowUs: number): void {
    if (nowUs < nextDueUs || stopped) return;
    const due = shareOfSlots(slotsDueBy(nowUs - origin, plan.ratePerSecond, slots), share);
    while (tally.due < due) sendSlot(slotOfShare(tally.due, share));
    nextDueUs = tally.due < count ? origin + dueUsOf(slotOfShare(tally.due, share), plan.ratePerSecond) : Infinity;
  }

  function sendSlot(seq: number): void {
    const { entry, connection } = assignmentOf(seq);
    const exchange = new Exchange({
      seq,
      dueUs: dueUsOf(seq, plan.ratePerSecond),
      originUs: origin,
      deadlineUs: plan.deadlineMs * 1000,
      connection,
      request: prepareRequest(plan, entry, seq, connection),
      onSettled: settled,
    });
    tally.due++;
    if (exchange.now() - exchange.dueUs > lateAboveMs * 1000) lateDueUs.push(exchange.dueUs);
    underWay.push(exchange);
    send(exchange);
  }

  function expire(): void {
    const nowUs = monotonicUs() - origin;
    const latestWaitUs = nowUs - plan.deadlineMs * 1000 * connectionWaitShare;
    // Before connections expire: the place that one leaves must not go to a request that has no time left for it.
    for (let first = waiting[0]; first !== undefined && first.dueUs <= latestWaitUs; first = waiting[0]) {
      waiting.shift();
      const error = lastAnswerUs < first.dueUs ? serverHeldAll : noConnectionFree;
      first.settle('unsent', { status: null, bytes: 0, error });
    }
    for (; oldest < underWay.length; oldest++) {
      const exchange = underWay[oldest];
      if (exchange === undefined || (!exchange.settled && exchange.dueUs > nowUs - plan.deadlineMs * 1000)) break;
      if (!exchange.settled) carrying.get(exchange)?.expire();
    }
    if (oldest > 4_096) {
      underWay.splice(0, oldest);
      oldest = 0;
    }
  }

  function end(cutShort: boolean): void {
    clearInterval(ticker);
    for (const connection of [...open]) connection.discard();
    const unfinished = tally.due - tally.settled;
    if (!cutShort && unfinished !== 0) fail(new Error(`${unfinished} due requests were never settled`));
    void pacer.terminate();
    finish({ ...tally, lateDueUs, aborted: stopped, unfinished });
  }

  function stopPacer(): void {
    Atomics.store(new Int32Array(stopCell), 0, 1);
    Atomics.notify(new Int32Array(stopCell), 0);
  }

  let ticker: NodeJS.Timeout | undefined;
  return {
    counts: () => ({ ...tally, sent: tally.sent + sentAndUnderWay(carrying), lateDueUs }),
    run: (originUs) =>
      new Promise<LoadResult>((resolve, reject) => {
        origin = originUs;
        nextDueUs = originUs;
        finish = resolve;
        fail = reject;
        ticker = setInterval(expire, deadlineTickMs);
        pacer.on('error', reject);
        pacer.on('message', () => sendDue(monotonicUs()));
        pacer.postMessage(originUs);
        if (count === 0) end(false);
      }),
    finish: (wanted) => {
      if (stopped || wanted >= slots) return;
      slots = wanted;
      // What was due already cannot be taken back.
      count = Math.max(shareOfSlots(slots, share), tally.due);
      if (tally.due < count) return;
      nextDueUs = Infinity;
      if (tally.settled === tally.due) end(false);
    },
    stop: () => {
      if (stopped) return;
      stopped = true;
      stopPacer();
      if (tally.settled === tally.due) end(true);
      else setTimeout(() => tally.settled < tally.due && end(true), stopGraceMs);
    },
  };
}

/** Requests that were sent and have no outcome yet. */
function sentAndUnderWay(carrying: ReadonlyMap<Exchange, Connection>): number {
  let sent = 0;
  for (const { sentUs } of carrying.keys()) if (sentUs !== null) sent++;
  return sent;
}
