/**
 * HTTP/2 connections of a load. Kept ones are as few as a browser, Go or a proxy opens: a request joins the oldest that has
 * room for its stream, and only where none has it opens another. A new one carries one request.
 */
import type { Target } from './connection.ts';
import type { Exchange } from '../load/exchange.ts';
import type { NameWatch } from './name-watch.ts';
import { watchOf, type PoolPlan, type RequestPool } from './request-pool.ts';
import { SecureTarget } from './secure-layer.ts';
import { StreamConnection, type StreamOwner } from './stream-connection.ts';

/** Sends requests on streams of kept and new connections. */
export class StreamPool implements RequestPool {
  private target: Target;
  private readonly watch: NameWatch | null;
  private readonly maxConnections: number;
  private readonly owner: StreamOwner;
  /** By age. */
  private readonly kept = new Set<StreamConnection>();
  private readonly own = new Set<StreamConnection>();
  private readonly waiting: Exchange[] = [];
  carried = 0;

  /** @param turn called before anything that happened on a connection is dealt with */
  constructor(plan: PoolPlan, turn: () => void) {
    this.target = { ...plan, secure: plan.tls === null ? null : new SecureTarget(plan.tls, 'h2') };
    this.maxConnections = plan.maxConnections;
    this.watch = watchOf(plan, (moved) => (this.target = { ...this.target, ...moved }));
    this.owner = {
      turn,
      room: () => this.sendWaiting(),
      gone: (connection) => {
        this.kept.delete(connection);
        this.own.delete(connection);
        this.sendWaiting();
      },
    };
  }

  send(exchange: Exchange): void {
    if (!this.place(exchange)) this.waiting.push(exchange);
  }

  *takeWaiting(untilDueUs: number): Generator<Exchange> {
    for (let first = this.waiting[0]; first !== undefined && first.slot.dueUs <= untilDueUs; first = this.waiting[0]) {
      this.waiting.shift();
      yield first;
    }
  }

  close(): void {
    this.watch?.close();
    for (const connection of [...this.kept, ...this.own]) connection.discard();
  }

  private place(exchange: Exchange): boolean {
    const isOwn = exchange.slot.connection === 'new';
    if (!isOwn) {
      for (const connection of this.kept) {
        if (!connection.hasRoom()) continue;
        this.carried++;
        connection.carry(exchange);
        return true;
      }
    }
    if (this.kept.size + this.own.size >= this.maxConnections && !(isOwn && this.spare())) return false;
    this.carried++;
    (isOwn ? this.own : this.kept).add(new StreamConnection(this.target, this.owner, exchange));
    return true;
  }

  /** Gives up an idle kept connection, so that a new one may take its place. */
  private spare(): boolean {
    for (const connection of this.kept) {
      if (!connection.isIdle) continue;
      this.kept.delete(connection);
      connection.discard();
      return true;
    }
    return false;
  }

  private sendWaiting(): void {
    // Out of the queue before it is placed: what a connection has to say by then may call this again.
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (this.place(next)) continue;
      this.waiting.unshift(next);
      return;
    }
  }
}
