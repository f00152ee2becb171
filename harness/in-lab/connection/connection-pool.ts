/** The connections of a load: at most so many are open at once, and a request that finds none free waits its turn. */
import { Connection, type ConnectionOwner, type Target } from './connection.ts';
import type { Exchange } from '../load/exchange.ts';
import type { NameWatch } from './name-watch.ts';
import { watchOf, type PoolPlan, type RequestPool } from './request-pool.ts';
import { SecureTarget } from './secure-layer.ts';

/** Sends requests on kept and new connections. */
export class ConnectionPool implements RequestPool {
  private target: Target & { readonly maxConnections: number };
  private readonly watch: NameWatch | null;
  private readonly owner: ConnectionOwner;
  private readonly open = new Set<Connection>();
  private readonly idle: Connection[] = [];
  private readonly waiting: Exchange[] = [];
  carried = 0;

  /** @param turn called before anything that happened on a connection is dealt with */
  constructor(plan: PoolPlan, turn: () => void) {
    this.target = { ...plan, secure: plan.tls === null ? null : new SecureTarget(plan.tls) };
    this.watch = watchOf(plan, (moved) => (this.target = { ...this.target, ...moved }));
    this.owner = {
      turn,
      idle: (connection) => {
        this.idle.push(connection);
        this.sendWaiting();
      },
      gone: (connection) => {
        this.open.delete(connection);
        const at = this.idle.indexOf(connection);
        if (at >= 0) this.idle.splice(at, 1);
        this.sendWaiting();
      },
    };
  }

  send(exchange: Exchange): void {
    if (exchange.slot.connection === 'kept') {
      // The one used last is the least likely to be near its peer's idle timeout.
      for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
        if (connection.isUsable()) {
          this.carried++;
          connection.carry(exchange);
          return;
        }
        this.discard(connection);
      }
    }
    if (this.open.size >= this.target.maxConnections) {
      // A new connection may take the place of an idle one; the cap is on what is open.
      const spare = exchange.slot.connection === 'new' ? this.idle.shift() : undefined;
      if (spare === undefined) {
        this.waiting.push(exchange);
        return;
      }
      this.discard(spare);
    }
    this.carried++;
    this.open.add(new Connection(this.target, this.owner, exchange));
  }

  *takeWaiting(untilDueUs: number): Generator<Exchange> {
    for (let first = this.waiting[0]; first !== undefined && first.slot.dueUs <= untilDueUs; first = this.waiting[0]) {
      this.waiting.shift();
      yield first;
    }
  }

  close(): void {
    this.watch?.close();
    for (const connection of [...this.open]) this.discard(connection);
  }

  private sendWaiting(): void {
    const next = this.waiting.shift();
    if (next !== undefined) this.send(next);
  }

  private discard(connection: Connection): void {
    this.open.delete(connection);
    connection.discard();
  }
}
