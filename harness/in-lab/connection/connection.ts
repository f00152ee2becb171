/**
 * A TCP connection that carries one request at a time and never sends one again.
 * Whatever ends it settles the request it carries; an idle connection that dies settles nothing.
 */
import { AnswerSocket, afterNextPoll } from './answer-socket.ts';
import {
  closeNotify,
  deadlineWords,
  limitWords,
  outcomeOfAnswer,
  outcomeOfDeadline,
  outcomeOfEnd,
  outcomeOfError,
  socketWords,
} from '../../run/failure-words.ts';
import { monotonicUs } from '../../base/clock.ts';
import type { Exchange } from '../load/exchange.ts';
import { LimitError, ParseError, ResponseParser, type Response } from './response-parser.ts';
import { SecureLayer, type SecureTarget } from './secure-layer.ts';

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
export interface Target {
  /** An IP literal, or the path of a Unix socket. */
  readonly host: string;
  /** null of a Unix socket. */
  readonly port: number | null;
  /** The host, where that is not the load's first. */
  readonly movedTo?: string | undefined;
  readonly maxHeadBytes: number;
  readonly maxAnswerBytes: number;
  /** How TLS is spoken; null where it is not. */
  readonly secure: SecureTarget | null;
}

/** Most bytes of an answer that is held against an expectation of the user's, and so in memory, whole. */
export const mostComparedBytes = 64 * 1024 * 1024;

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
export class Connection {
  private readonly socket: AnswerSocket;
  private readonly owner: ConnectionOwner;
  private readonly target: Target;
  private exchange: Exchange | null = null;
  private parser: ResponseParser;
  /** From the moment that the connection stands, where TLS is spoken. */
  private layer: SecureLayer | null = null;
  /** The peer has said close_notify. */
  private isNotified = false;
  private open = false;
  private dead = false;
  /** The shortest that connecting or waiting for an answer took. */
  private rttUs = Infinity;
  /** By the server's Keep-Alive hint; CLOCK_MONOTONIC. */
  private usableUntilUs = Infinity;

  /** Connects at once: the SYN leaves within this call. */
  constructor(target: Target, owner: ConnectionOwner, first: Exchange) {
    this.owner = owner;
    this.target = target;
    this.exchange = first;
    this.parser = this.parserFor(first, false);
    first.carrier = this;
    first.address = target.movedTo;
    first.sentUs = first.now();
    this.socket = new AnswerSocket((bytes) => this.arrived(bytes));
    // The only request of a new connection is never held back; to say so would cost a system call for each.
    if (first.slot.connection === 'kept') this.socket.setNoDelay();
    const { host, port } = target;
    this.socket.connect(port === null ? { path: host } : { host, port });
    this.socket.on('connect', () => this.connected());
    this.socket.on('end', () => this.ended());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.failed(error.code ?? error.message));
    this.socket.on('close', () => {
      this.ended();
      this.die();
    });
  }

  /** Writes the next request on a connection that is idle. */
  carry(exchange: Exchange): void {
    if (this.exchange !== null || this.dead) throw new Error('the connection is not idle');
    this.exchange = exchange;
    this.parser = this.parserFor(exchange, this.parser.hasNoBody);
    exchange.carrier = this;
    exchange.address = this.target.movedTo;
    exchange.rttUs = Number.isFinite(this.rttUs) ? this.rttUs : null;
    exchange.sentUs = exchange.now();
    this.write(exchange);
  }

  /** May it carry a request? Not if its server is about to close it, or has closed it by now. */
  isUsable(): boolean {
    return !this.dead && monotonicUs() < this.usableUntilUs && this.socket.isSilent();
  }

  /** Gives the request it carries the outcome of a passed deadline, and ends. */
  expire(): void {
    const { exchange } = this;
    if (exchange !== null) {
      this.exchange = null;
      exchange.settle(outcomeOfDeadline(exchange.step), { ...this.seen(), error: deadlineWords(exchange.step) });
    }
    this.die();
  }

  /** Ends the connection without settling anything and without telling the owner, who asked for it. */
  discard(): void {
    this.exchange = null;
    this.dead = true;
    this.destroy();
  }

  private connected(): void {
    if (this.exchange !== null) this.owner.turn();
    const { exchange } = this;
    this.open = true;
    if (exchange === null) return;
    exchange.connectedUs = exchange.now();
    // Before the first write, which may fail: an answer may have come already, and Node does not begin to read after it.
    this.socket.read(0);
    const { secure } = this.target;
    if (secure === null) this.write(exchange);
    else this.shakeHands(secure, exchange);
  }

  private shakeHands(secure: SecureTarget, exchange: Exchange): void {
    exchange.step = 'handshake';
    this.layer = new SecureLayer(this.socket, secure, {
      secured: (isResumed) => this.secured(isResumed),
      received: (bytes) => this.received(bytes),
      ended: () => this.notified(),
      failed: (word) => this.failed(word),
    });
  }

  private secured(isResumed: boolean): void {
    const { exchange } = this;
    if (exchange === null) return;
    exchange.securedUs = exchange.now();
    exchange.isResumed = isResumed;
    this.write(exchange);
  }

  private write(exchange: Exchange): void {
    exchange.step = 'wait';
    const { bytes, body } = exchange.slot.request;
    if (this.layer !== null) {
      this.layer.write(...(body === undefined ? [bytes] : [bytes, body]));
      return;
    }
    // Together, where there is a body: it must not wait for the acknowledgement of the head.
    if (body !== undefined) this.socket.cork();
    this.socket.write(bytes);
    if (body === undefined) return;
    this.socket.write(body);
    this.socket.uncork();
  }

  /** Bytes of the connection: of an answer, or of TLS, which alone knows whether an answer is in them. */
  private arrived(bytes: Buffer): void {
    if (this.exchange !== null) this.owner.turn();
    if (this.layer === null) this.received(bytes);
    else this.layer.feed(bytes);
  }

  private received(bytes: Buffer): void {
    const { exchange } = this;
    if (exchange === null) {
      // Bytes that nobody asked for: nothing that follows on this connection could be trusted.
      this.die();
      return;
    }
    // Whatever becomes of it, the server had read the request, or at least begun to answer.
    exchange.rttUs = null;
    let response: Response | undefined;
    let failure: ParseError | LimitError | undefined;
    try {
      response = this.parser.feed(bytes, exchange.now());
    } catch (error) {
      if (!(error instanceof ParseError || error instanceof LimitError)) throw error;
      failure = error;
    }
    exchange.firstByteUs = this.parser.begunUs;
    exchange.step = exchange.firstByteUs === null ? 'wait' : 'body';
    if (failure instanceof ParseError) this.refuse(exchange, 'parse', failure.message);
    else if (failure !== undefined) this.refuse(exchange, 'local', limitWords(failure.message));
    else if (response !== undefined) this.complete(exchange, response);
  }

  /** Ends with an answer that is not read on. */
  private refuse(exchange: Exchange, outcome: 'parse' | 'local', error: string): void {
    this.exchange = null;
    exchange.settle(outcome, { ...this.seen(), error });
    this.die();
  }

  private complete(exchange: Exchange, response: Response): void {
    this.exchange = null;
    const { slot, connectedUs, sentUs, firstByteUs } = exchange;
    // An answer that was there before its request tells nothing.
    if (sentUs !== null && firstByteUs !== null && firstByteUs > sentUs) {
      this.rttUs = Math.min(this.rttUs, (connectedUs ?? firstByteUs) - sentUs);
    }
    const seen = { status: response.status, bytes: response.bodyBytes, response };
    const outcome = outcomeOfAnswer(
      response.status,
      slot.request.expectedStatus,
      slot.request.isExpectedBody?.(response.body) ?? true,
    );
    const missed = outcome === 'ok' ? (slot.request.check?.missedBy(response) ?? null) : null;
    if (missed === null) exchange.settle(outcome, seen);
    else exchange.settle('wrong', { ...seen, error: missed });
    if (response.keepAliveMs !== null) this.usableUntilUs = monotonicUs() + usableUs(response.keepAliveMs);
    if (!response.keepAlive || exchange.slot.connection === 'new') this.die();
    else this.sendRest();
  }

  /** The answer came before its request was sent to the end; the next one can follow only then. */
  private sendRest(): void {
    const { layer, socket } = this;
    if (layer === null && socket.writableLength === 0) {
      this.owner.idle(this);
      return;
    }
    const givingUp = setTimeout(() => this.die(), restMs);
    const sent = (): void => {
      clearTimeout(givingUp);
      if (!this.dead) this.owner.idle(this);
    };
    if (layer === null) socket.once('drain', sent);
    else layer.whenWritten(sent);
  }

  /**
   * close_notify. A server that has not read the request resets the connection behind it, which tells more: as without
   * TLS, a reset that is there by now counts.
   */
  private notified(): void {
    const { exchange } = this;
    this.isNotified = true;
    if (exchange?.step !== 'wait') this.ended();
    else afterNextPoll(() => this.exchange === exchange && this.ended());
  }

  /** The peer has closed; under TLS, a mere FIN may be anybody's, and ends no answer. */
  private ended(): void {
    const { exchange } = this;
    if (exchange !== null) {
      const isTold = this.layer === null || this.isNotified;
      const response = isTold ? this.parser.end() : undefined;
      if (response !== undefined) {
        this.complete(exchange, response);
        return;
      }
      this.exchange = null;
      const word = this.isNotified ? closeNotify : 'FIN';
      exchange.settle(outcomeOfEnd(exchange.step), { ...this.seen(), error: `${word}, ${exchange.step}` });
    }
    this.die();
  }

  private failed(code: string): void {
    const { exchange } = this;
    if (exchange !== null) {
      this.exchange = null;
      const step = this.open ? exchange.step : 'connect';
      const word = this.target.port === null && step === 'connect' ? socketWords(code) : code;
      exchange.settle(outcomeOfError(word, step), { ...this.seen(), error: `${word}, ${step}` });
    }
    this.die();
  }

  private parserFor({ slot }: Exchange, skipsStrayBody: boolean): ResponseParser {
    const { maxHeadBytes, maxAnswerBytes } = this.target;
    const { method, isExpectedBody, check } = slot.request;
    const isCompared = check?.needsBody === true;
    return new ResponseParser({
      keepsBody: isCompared || isExpectedBody !== null,
      mostKeptBytes: isCompared ? mostComparedBytes : undefined,
      maxHeadBytes,
      maxAnswerBytes: isCompared ? Math.min(maxAnswerBytes, mostComparedBytes) : maxAnswerBytes,
      skipsStrayBody,
      isHead: method === 'HEAD',
    });
  }

  private seen(): { status: number | null; bytes: number } {
    return { status: this.parser.statusSoFar, bytes: this.parser.bodyBytes };
  }

  private die(): void {
    if (this.dead) return;
    this.dead = true;
    this.destroy();
    this.owner.gone(this);
  }

  private destroy(): void {
    this.layer?.close();
    this.socket.destroy();
  }
}
