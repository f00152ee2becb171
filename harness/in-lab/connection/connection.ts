/**
 * An HTTP/1 connection that carries one request at a time and never sends one again.
 * Whatever ends it settles the request it carries; an idle connection that dies settles nothing.
 */
import { closeNotify } from '../../run/failure-words.ts';
import { monotonicUs } from '../../base/clock.ts';
import { closed, expired, failed, refused, type Exchange, type Settling } from '../load/exchange.ts';
import { bodyLimits } from '../load/request.ts';
import { AnswerError } from './answer.ts';
import { afterNextPoll } from './answer-socket.ts';
import { ResponseParser, type Response } from './response-parser.ts';
import { Transport, type Handshake, type Place, type TransportOwner } from './transport.ts';

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

/** Where connections go, and what they read of an answer. */
export interface Target extends Place {
  /** The host, where that is not the load's first. */
  readonly movedTo?: string | undefined;
  readonly maxHeadBytes: number;
  readonly maxAnswerBytes: number;
}

/** How long the rest of a request may take that was answered before it was sent. */
const restMs = 5_000;

/** How long before the end that a server announces (Keep-Alive: timeout=N) an idle connection is not used any more. */
const keepAliveMarginMs = 1_000;

/**
 * How long a connection is used that the server keeps for `keepAliveMs`. The server may count it from the request, and in
 * whole seconds, so of a short time only half is used.
 */
function usableUs(keepAliveMs: number): number {
  return Math.max(keepAliveMs - keepAliveMarginMs, keepAliveMs / 2) * 1000;
}

/** An open or opening connection. */
export class Connection implements TransportOwner {
  private readonly owner: ConnectionOwner;
  private readonly target: Target;
  private readonly transport: Transport;
  private exchange: Exchange | null;
  private parser: ResponseParser;
  /** The shortest that connecting or waiting for an answer took. */
  private rttUs: number | null = null;
  /** An answer came before its request was sent to the end: the next one can follow only after the rest. */
  private givingUp: NodeJS.Timeout | null = null;
  /** By the server's Keep-Alive hint; CLOCK_MONOTONIC. */
  private usableUntilUs = Infinity;

  /** Connects at once: the SYN leaves within this call. */
  constructor(target: Target, owner: ConnectionOwner, first: Exchange) {
    this.owner = owner;
    this.target = target;
    this.exchange = first;
    this.parser = this.parserFor(first, false);
    first.begin(this, target.movedTo);
    this.transport = new Transport(target, this, first.slot.connection === 'kept');
  }

  /** Writes the next request on a connection that is idle. */
  carry(exchange: Exchange): void {
    if (this.exchange !== null || this.transport.isClosed) throw new Error('the connection is not idle');
    this.exchange = exchange;
    this.parser = this.parserFor(exchange, this.parser.hasNoBody);
    exchange.begin(this, this.target.movedTo);
    exchange.rttUs = this.rttUs;
    this.write(exchange);
  }

  /** May it carry a request? Not if its server is about to close it, or has closed it by now. */
  isUsable(): boolean {
    return !this.transport.isClosed && monotonicUs() < this.usableUntilUs && this.transport.isSilent();
  }

  /** Gives the request it carries the outcome of a passed deadline, and ends. */
  expire(): void {
    this.endWith(expired);
  }

  /** Ends the connection without settling anything and without telling the owner, who asked for it. */
  discard(): void {
    this.exchange = null;
    this.transport.close();
  }

  arriving(): void {
    if (this.exchange !== null) this.owner.turn();
  }

  connected(): void {
    this.arriving();
    const { exchange } = this;
    if (exchange === null) return;
    exchange.connectedUs = exchange.now();
    if (this.target.secure !== null) exchange.step = 'handshake';
  }

  ready(handshake: Handshake | null): void {
    const { exchange } = this;
    if (exchange === null) return;
    if (handshake !== null) exchange.secured(handshake.isResumed);
    this.write(exchange);
  }

  received(bytes: Buffer): void {
    const { exchange, parser } = this;
    if (exchange === null) {
      // Bytes that nobody asked for: nothing that follows on this connection could be trusted.
      this.die();
      return;
    }
    // Whatever becomes of it, the server had read the request, or at least begun to answer.
    exchange.rttUs = null;
    let response: Response | undefined;
    let failure: AnswerError | null = null;
    try {
      response = parser.feed(bytes, exchange.now());
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      failure = error;
    }
    exchange.firstByteUs = parser.begunUs;
    exchange.step = exchange.firstByteUs === null ? 'wait' : 'body';
    if (failure !== null) this.endWith(refused(failure));
    else if (response !== undefined) this.complete(exchange, response);
  }

  /**
   * close_notify. A server that has not read the request resets the connection behind it, which tells more: as without
   * TLS, a reset that is there by now counts.
   */
  notified(): void {
    const { exchange } = this;
    if (exchange?.step !== 'wait') this.ended(closeNotify);
    else afterNextPoll(() => this.exchange === exchange && this.ended(closeNotify));
  }

  /** The peer has closed; under TLS, a mere FIN may be anybody's, and ends no answer. */
  ended(word: string): void {
    const { exchange } = this;
    const isTold = this.target.secure === null || word === closeNotify;
    const response = exchange !== null && isTold ? this.parser.end() : undefined;
    if (exchange !== null && response !== undefined) this.complete(exchange, response);
    else this.endWith(closed(word));
  }

  failed(word: string): void {
    this.endWith(failed(word));
  }

  private write(exchange: Exchange): void {
    exchange.step = 'wait';
    const { bytes, body } = exchange.slot.request;
    if (body === undefined) this.transport.write([bytes]);
    else this.transport.write([bytes, body], () => this.bodySent());
  }

  private complete(exchange: Exchange, response: Response): void {
    this.exchange = null;
    this.rttUs = exchange.shortestTripUs(this.rttUs);
    exchange.answered(response);
    if (response.keepAliveMs !== null) this.usableUntilUs = monotonicUs() + usableUs(response.keepAliveMs);
    if (!response.keepAlive || exchange.slot.connection === 'new') this.die();
    else if (this.transport.isWritten) this.owner.idle(this);
    else this.givingUp = setTimeout(() => this.die(), restMs);
  }

  private bodySent(): void {
    if (this.givingUp === null) return;
    clearTimeout(this.givingUp);
    this.givingUp = null;
    this.owner.idle(this);
  }

  private parserFor({ slot: { request } }: Exchange, skipsStrayBody: boolean): ResponseParser {
    const { maxHeadBytes, maxAnswerBytes } = this.target;
    const isHead = request.method === 'HEAD';
    return new ResponseParser({ ...bodyLimits(request, maxAnswerBytes), maxHeadBytes, skipsStrayBody, isHead });
  }

  /** Gives the request it carries, if any, an outcome, and ends. */
  private endWith(settle: Settling): void {
    const { exchange, parser } = this;
    this.exchange = null;
    if (exchange !== null) settle(exchange, { status: parser.statusSoFar, bytes: parser.bodyBytes });
    this.die();
  }

  private die(): void {
    if (this.transport.isClosed) return;
    this.transport.close();
    this.owner.gone(this);
  }
}
