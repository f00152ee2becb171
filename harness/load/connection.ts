/**
 * A TCP connection that carries one request at a time and never sends one again.
 * Whatever ends it settles the request it carries; an idle connection that dies settles nothing.
 */
import { connect, type Socket } from 'node:net';
import { outcomeOfAnswer, outcomeOfDeadline, outcomeOfEnd, outcomeOfError } from './classify.ts';
import type { Exchange } from './exchange.ts';
import { ParseError, ResponseParser, type Response } from './response-parser.ts';

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /**
   * Something happened on a connection that carries a request; called first, so that no slot waits behind a row of
   * answers. Never on an idle one: what arrives there must not be taken for the answer to a request written just now.
   */
  turn(): void;
  /** The answer is complete and the connection may carry another request. */
  idle(connection: Connection): void;
  /** The connection is gone, and with it its place under the cap. */
  gone(connection: Connection): void;
}

/** An open or opening connection. */
export class Connection {
  private readonly socket: Socket;
  private readonly owner: ConnectionOwner;
  private exchange: Exchange | null = null;
  private parser = new ResponseParser();
  private open = false;
  private dead = false;

  /** Sets off at once: the SYN leaves within this call. */
  constructor(target: { host: string; port: number }, owner: ConnectionOwner, first: Exchange) {
    this.owner = owner;
    this.exchange = first;
    first.sentUs = first.now();
    // The only request of a new connection is never held back; to say so would cost a system call for each.
    this.socket = connect({ host: target.host, port: target.port, noDelay: first.connection === 'kept' });
    this.socket.on('connect', () => this.connected());
    this.socket.on('data', (bytes: Buffer) => this.received(bytes));
    this.socket.on('end', () => this.ended());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.failed(error));
    this.socket.on('close', () => {
      this.ended();
      this.die();
    });
  }

  /** Writes the next request on a connection that is idle. */
  carry(exchange: Exchange): void {
    if (this.exchange !== null || this.dead) throw new Error('the connection is not idle');
    this.exchange = exchange;
    this.parser = new ResponseParser();
    exchange.sentUs = exchange.now();
    this.write(exchange);
  }

  /** Gives the request it carries the outcome of a passed deadline, and ends. */
  expire(): void {
    const { exchange } = this;
    if (exchange !== null) {
      this.exchange = null;
      exchange.settle(outcomeOfDeadline(exchange.step), { ...this.seen(), error: `deadline, ${exchange.step}` });
    }
    this.die();
  }

  /** Ends the connection without settling anything and without telling the owner, who asked for it. */
  discard(): void {
    this.exchange = null;
    this.dead = true;
    this.socket.destroy();
  }

  private connected(): void {
    if (this.exchange !== null) this.owner.turn();
    const { exchange } = this;
    this.open = true;
    if (exchange === null) return;
    exchange.connectedUs = exchange.now();
    this.write(exchange);
  }

  private write(exchange: Exchange): void {
    exchange.step = 'wait';
    this.socket.write(exchange.request.bytes);
  }

  private received(bytes: Buffer): void {
    if (this.exchange !== null) this.owner.turn();
    const { exchange } = this;
    if (exchange === null) {
      // Bytes that nobody asked for: nothing that follows on this connection could be trusted.
      this.die();
      return;
    }
    if (exchange.firstByteUs === null) {
      exchange.firstByteUs = exchange.now();
      exchange.step = 'body';
    }
    let response: Response | undefined;
    try {
      response = this.parser.feed(bytes);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.exchange = null;
      exchange.settle('parse', { ...this.seen(), error: error.message });
      this.die();
      return;
    }
    if (response !== undefined) this.complete(exchange, response);
  }

  private complete(exchange: Exchange, response: Response): void {
    this.exchange = null;
    const { request } = exchange;
    const outcome = outcomeOfAnswer(response.status, request.expectedStatus, request.isExpectedBody(response.body));
    exchange.settle(outcome, { status: response.status, bytes: response.body.length, response });
    if (response.keepAlive && exchange.connection === 'kept') this.owner.idle(this);
    else this.die();
  }

  private ended(): void {
    const { exchange } = this;
    if (exchange !== null) {
      const response = this.parser.end();
      if (response !== undefined) {
        this.complete(exchange, response);
        return;
      }
      this.exchange = null;
      exchange.settle(outcomeOfEnd(exchange.step), { ...this.seen(), error: `FIN, ${exchange.step}` });
    }
    this.die();
  }

  private failed(error: NodeJS.ErrnoException): void {
    const { exchange } = this;
    if (exchange !== null) {
      this.exchange = null;
      const code = error.code ?? error.message;
      const step = this.open ? exchange.step : 'connect';
      exchange.settle(outcomeOfError(code, step), { ...this.seen(), error: `${code}, ${step}` });
    }
    this.die();
  }

  private seen(): { status: number | null; bytes: number } {
    return { status: this.parser.statusSoFar, bytes: this.parser.bodyBytes };
  }

  private die(): void {
    if (this.dead) return;
    this.dead = true;
    this.socket.destroy();
    this.owner.gone(this);
  }
}
