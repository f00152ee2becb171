/** HTTP/1 connections of a load: at most so many are open at once, and each carries one request at a time. */
import type { Exchange } from '../load/exchange.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { RequestPool } from './request-pool.ts';

/** Sends requests on kept and new connections. */
export class ConnectionPool extends RequestPool implements ConnectionOwner {
  private readonly connections = new Set<Connection>();
  private readonly unused: Connection[] = [];

  idle(connection: Connection): void {
    this.unused.push(connection);
    this.sendWaiting();
  }

  gone(connection: Connection): void {
    this.connections.delete(connection);
    const at = this.unused.indexOf(connection);
    if (at >= 0) this.unused.splice(at, 1);
    this.sendWaiting();
  }

  protected place(exchange: Exchange): boolean {
    const isNew = exchange.slot.connection === 'new';
    const used = isNew ? undefined : this.takeUsable();
    if (used === undefined && !this.hasRoom() && !(isNew && this.spare())) return false;
    this.carried++;
    if (used === undefined) this.connections.add(new Connection(this.target, this, exchange));
    else used.carry(exchange);
    return true;
  }

  protected open(): Connection[] {
    return [...this.connections];
  }

  private hasRoom(): boolean {
    return this.connections.size < this.maxConnections;
  }

  /** The idle connection used last: it is the least likely to be near its peer's idle timeout. */
  private takeUsable(): Connection | undefined {
    for (let last = this.unused.pop(); last !== undefined; last = this.unused.pop()) {
      if (last.isUsable()) return last;
      this.discard(last);
    }
    return undefined;
  }

  /** Gives up an idle connection, so that a new one may take its place: the cap is on what is open. */
  private spare(): boolean {
    const oldest = this.unused.shift();
    if (oldest !== undefined) this.discard(oldest);
    return oldest !== undefined;
  }

  private discard(connection: Connection): void {
    this.connections.delete(connection);
    connection.discard();
  }
}
