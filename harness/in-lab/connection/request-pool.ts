/** What the connections of a load have in common, whatever they speak: where they go, their number, and who waits for one. */
import type { LoadPlan } from '../load/plan.ts';
import type { Exchange } from '../load/exchange.ts';
import type { Target } from './connection.ts';
import { NameWatch } from './name-watch.ts';
import { SecureTarget } from './secure-target.ts';

/** What a pool takes of a plan. */
export type PoolPlan = Pick<
  LoadPlan,
  'host' | 'port' | 'lookUp' | 'maxHeadBytes' | 'maxAnswerBytes' | 'maxConnections' | 'tls' | 'http'
>;

/** Sends requests on kept and new connections; one that finds no place waits its turn. */
export abstract class RequestPool {
  /** How many requests have been given to a connection, and so sent. */
  carried = 0;
  readonly turn: () => void;
  /** Where new connections go from now on. */
  protected target: Target;
  protected readonly maxConnections: number;
  private readonly watch: NameWatch | null = null;
  private readonly waiting: Exchange[] = [];

  /** @param turn called before anything that happened on a connection is dealt with */
  constructor(plan: PoolPlan, turn: () => void) {
    const { host, port, lookUp = null, maxHeadBytes, maxAnswerBytes, maxConnections, tls, http } = plan;
    this.turn = turn;
    const secure = tls === null ? null : new SecureTarget(tls, http === '2' ? 'h2' : 'http/1.1');
    this.target = { host, port, secure, maxHeadBytes, maxAnswerBytes };
    this.maxConnections = maxConnections;
    if (lookUp === null || port === null) return;
    this.watch = new NameWatch(lookUp, host, port, (address) => {
      this.target = { ...this.target, host: address, movedTo: address === host ? undefined : address };
    });
  }

  /** Sends the request now, or as soon as a connection is free. */
  send(exchange: Exchange): void {
    if (!this.place(exchange)) this.waiting.push(exchange);
  }

  /** Takes out the requests due until then that still wait for a connection. */
  *takeWaiting(untilDueUs: number): Generator<Exchange> {
    for (let [first] = this.waiting; first !== undefined && first.slot.dueUs <= untilDueUs; [first] = this.waiting) {
      this.waiting.shift();
      yield first;
    }
  }

  /** Ends every connection without settling what it carries. */
  close(): void {
    this.watch?.close();
    for (const connection of this.open()) connection.discard();
  }

  /** Gives the request to a connection. @returns false where none is free */
  protected abstract place(exchange: Exchange): boolean;

  /** Every connection that is open. */
  protected abstract open(): { discard(): void }[];

  /** A connection may be free. */
  protected sendWaiting(): void {
    // Out of the queue before it is placed: what a connection has to say by then may call this again.
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (this.place(next)) continue;
      this.waiting.unshift(next);
      return;
    }
  }
}
