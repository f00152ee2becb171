/**
 * HTTP/2 connections of a load. Kept ones are as few as a browser, Go or a proxy opens: a request joins the oldest that has
 * room for its stream, and only where none has it opens another. A new one carries one request.
 */
import type { Exchange } from '../load/exchange.ts';
import { RequestPool } from './request-pool.ts';
import { StreamConnection, type StreamOwner } from './stream-connection.ts';

/** Sends requests on streams of kept and new connections. */
export class StreamPool extends RequestPool implements StreamOwner {
  /** By age. */
  private readonly kept = new Set<StreamConnection>();
  private readonly own = new Set<StreamConnection>();

  room(): void {
    this.sendWaiting();
  }

  gone(connection: StreamConnection): void {
    this.kept.delete(connection);
    this.own.delete(connection);
    this.sendWaiting();
  }

  /** Those as well that wait on a connection that stands: its server allows no more streams. */
  override *takeWaiting(untilDueUs: number): Generator<Exchange> {
    yield* super.takeWaiting(untilDueUs);
    for (const connection of this.open()) {
      const unsent = connection.takeUnsent(untilDueUs);
      this.carried -= unsent.length;
      yield* unsent;
    }
  }

  protected place(exchange: Exchange): boolean {
    const isOwn = exchange.slot.connection === 'new';
    const joined = isOwn ? undefined : [...this.kept].find((connection) => connection.hasRoom());
    const hasRoom = this.kept.size + this.own.size < this.maxConnections;
    if (joined === undefined && !hasRoom && !(isOwn && this.spare())) return false;
    this.carried++;
    if (joined !== undefined) joined.carry(exchange);
    else (isOwn ? this.own : this.kept).add(new StreamConnection(this.target, this, exchange));
    return true;
  }

  protected open(): StreamConnection[] {
    return [...this.kept, ...this.own];
  }

  /** Gives up an idle kept connection, so that a new one may take its place. */
  private spare(): boolean {
    const idle = [...this.kept].find(({ isIdle }) => isIdle);
    if (idle === undefined) return false;
    this.kept.delete(idle);
    idle.discard();
    return true;
  }
}
