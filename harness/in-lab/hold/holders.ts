/** The holders: each has one connection, opens it again when it ends, and writes a row for each of its lives. */
import { monotonicUs } from '../../base/clock.ts';
import { isEndedByService, type HoldRow } from '../../run/files/holds.ts';
import { NameWatch } from '../connection/name-watch.ts';
import type { HoldCounts } from '../load/plan.ts';
import { SecureTarget } from '../connection/secure-target.ts';
import { HeldConnection, type HeldTarget, type LifeName } from './held-connection.ts';
import { holdRequest, type HoldingPlan } from './hold-request.ts';

/** The holders begin one after another within this time. */
const spreadUs = 1_000_000;
/** How long a holder waits before it opens again: after a life that lasted, and at most after several that did not. */
const firstWaitMs = 100;
const longestWaitMs = 1_000;
/** A service that ends each connection at once must not be asked ten times a second by each holder. */
const lastingUs = 1_000_000;

/** All holders of a load. */
export class Holders {
  private readonly plan: HoldingPlan;
  private readonly record: (row: HoldRow) => void;
  private readonly secure: SecureTarget | null;
  private readonly counted = { lives: 0, opened: 0, endedByService: 0, cut: 0 };
  private holders: Holder[] = [];
  private watch: NameWatch | null = null;

  /** @param record takes each life's row when it has ended */
  constructor(plan: HoldingPlan, record: (row: HoldRow) => void) {
    this.plan = plan;
    this.record = record;
    this.secure = plan.tls === null ? null : new SecureTarget(plan.tls);
  }

  /** Opens them, one after another. @param originUs CLOCK_MONOTONIC of the load's origin */
  begin(originUs: number): void {
    const { plan, secure } = this;
    const { kind, count } = plan.hold;
    const { host, port, lookUp = null, maxHeadBytes, deadlineMs } = plan;
    const request = (life: LifeName, key: string): Buffer => holdRequest(plan, life, key);
    let target: HeldTarget = { kind, host, port, secure, maxHeadBytes, deadlineMs, originUs, request };
    if (lookUp !== null && port !== null) {
      this.watch = new NameWatch(lookUp, host, port, (address) => (target = { ...target, host: address }));
    }
    const record = (row: HoldRow): void => this.take(row);
    this.holders = Array.from({ length: count }, (_, index) => new Holder(() => target, index + 1, record));
    const nowUs = monotonicUs() - originUs;
    for (const [index, holder] of this.holders.entries()) {
      holder.openAfter(Math.max(0, (index * spreadUs) / count - nowUs) / 1000);
    }
  }

  /** Ends them all. @returns what they came to */
  end(): HoldCounts {
    this.watch?.close();
    for (const holder of this.holders) holder.end();
    return { ...this.counted };
  }

  private take(row: HoldRow): void {
    assertLife(row);
    const { counted } = this;
    counted.lives++;
    if (row.openedUs !== null) counted.opened++;
    if (isEndedByService(row)) counted.endedByService++;
    if (row.ending === 'cut') counted.cut++;
    this.record(row);
  }
}

class Holder {
  /** Where its next life goes. */
  private readonly target: () => HeldTarget;
  private readonly number: number;
  private readonly record: (row: HoldRow) => void;
  private generation = 0;
  private connection: HeldConnection | null = null;
  private waiting: NodeJS.Timeout | undefined;
  private waitMs = firstWaitMs;
  private hasEnded = false;

  constructor(target: () => HeldTarget, number: number, record: (row: HoldRow) => void) {
    this.target = target;
    this.number = number;
    this.record = record;
  }

  openAfter(ms: number): void {
    this.waiting = setTimeout(() => this.open(), ms);
  }

  end(): void {
    this.hasEnded = true;
    clearTimeout(this.waiting);
    this.connection?.release();
  }

  private open(): void {
    if (this.connection !== null) throw new Error(`holder ${this.number} has a connection already`);
    const life = { holder: this.number, generation: ++this.generation };
    this.connection = new HeldConnection(this.target(), life, (row) => this.ended(row));
  }

  private ended(row: HoldRow): void {
    if (row.generation !== this.generation || this.connection === null) {
      throw new Error(`life ${row.generation} of holder ${row.holder} ended twice`);
    }
    this.connection = null;
    this.record(row);
    if (this.hasEnded) return;
    const hasLasted = row.openedUs !== null && row.endedUs - row.openedUs >= lastingUs;
    if (hasLasted) this.waitMs = firstWaitMs;
    this.openAfter(this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, longestWaitMs);
  }
}

/** @throws when the row contradicts itself: this is a bug of the load generator */
function assertLife(row: HoldRow): void {
  const { openedUs, begunUs, endedUs, lastMessageUs, messages, ending } = row;
  const times = [begunUs, openedUs, lastMessageUs, endedUs].filter((us) => us !== null);
  const isInOrder = times.every((us, index) => index === 0 || us >= (times[index - 1] ?? us));
  const isOpenEnd = ending === 'close-frame' || ending === 'complete' || ending === 'cut';
  const isUnopenedEnd = ending === 'refused' || ending === 'status';
  const isRight =
    isInOrder &&
    (openedUs !== null || (messages === 0 && lastMessageUs === null && !isOpenEnd)) &&
    (openedUs === null || !isUnopenedEnd);
  if (!isRight) throw new Error(`the life of a held connection contradicts itself: ${JSON.stringify(row)}`);
}
