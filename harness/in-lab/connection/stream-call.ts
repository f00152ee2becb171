/** One request on a stream of an HTTP/2 connection, from its head to its single outcome. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { brokenHttp2, resetWords } from '../../run/failure-words.ts';
import { expired, failed, refused, type Exchange, type Settling } from '../load/exchange.ts';
import { bodyLimits } from '../load/request.ts';
import { AnswerBody, LimitError, ParseError } from './answer.ts';
import type { Target } from './connection.ts';
import { codeName } from './http2-frames.ts';

/** What a call tells the connection that carries it. */
export interface CallOwner {
  /** Its outcome is known. */
  settled(call: StreamCall): void;
  /** Its stream is closed, and its place free. */
  closed(call: StreamCall): void;
  /** Its deadline has passed. */
  expired(call: StreamCall): void;
}

const refusedStream = 7;
const cancel = 8;
const enhanceYourCalm = 11;

/** A request that was given to a connection. */
export class StreamCall {
  readonly exchange: Exchange;
  /** Its head has been written; until then Node may hold it back, since the server allows no more streams. */
  isSent = false;
  /** The frame has come that ends its answer; Node is about to tell of it. */
  isAnswered = false;
  private readonly owner: CallOwner;
  private readonly maxHeadBytes: number;
  private readonly body: AnswerBody;
  private stream: ClientHttp2Stream | null = null;
  /** Heads of its answer that have arrived, and those of them that Node has told. */
  private heads = 0;
  private toldHeads = 0;
  private lastHeadUs = 0;
  private resetCode: string | null = null;
  private isDropped = false;
  private status: number | null = null;
  private headers: IncomingHttpHeaders = {};

  constructor(exchange: Exchange, { maxHeadBytes, maxAnswerBytes }: Target, owner: CallOwner) {
    this.exchange = exchange;
    this.maxHeadBytes = maxHeadBytes;
    this.owner = owner;
    this.body = new AnswerBody(bodyLimits(exchange.slot.request, maxAnswerBytes));
  }

  /** Opens the stream. @returns its id */
  begin(session: ClientHttp2Session): number {
    const { exchange } = this;
    const { fields = {}, body } = exchange.slot.request;
    const stream = session.request(fields, { endStream: body === undefined });
    this.stream = stream;
    exchange.step = 'wait';
    exchange.streamId = stream.id ?? null;
    stream.on('headers', () => this.interim());
    stream.on('response', (headers) => this.readHead(headers));
    stream.on('data', (bytes: Buffer) => this.read(bytes));
    stream.on('end', () => {
      if (this.isAnswered) this.complete();
    });
    // What went wrong is told by frames and codes.
    stream.on('error', () => undefined);
    stream.on('close', () => this.closed());
    if (body !== undefined) stream.end(body);
    return stream.id ?? 0;
  }

  /** A frame of its answer has arrived. */
  arrived(isHead: boolean): void {
    const { exchange } = this;
    if (isHead) {
      this.heads++;
      this.lastHeadUs = exchange.now();
    }
    if (exchange.firstByteUs !== null || exchange.settled) return;
    exchange.firstByteUs = exchange.now();
    exchange.step = 'body';
  }

  /** The frame of its head leaves. */
  leaves(): void {
    const { exchange } = this;
    this.isSent = true;
    // One that waited for its connection was sent with the first byte of that.
    if (exchange.connectedUs === null) exchange.sentUs = exchange.now();
  }

  /** The server has reset the stream; Node tells when all that came before is read. */
  reset(code: string | null): void {
    this.resetCode ??= code;
  }

  /** Nobody wants to know its outcome any more. */
  drop(): void {
    this.isDropped = true;
  }

  /** Takes it back before it is sent: Node will not write it any more. */
  takeBack(): void {
    this.drop();
    // Not CANCEL, which Node puts off: the head could leave before.
    this.stream?.close(refusedStream);
  }

  /** Gives it an outcome. */
  settle(how: Settling): void {
    how(this.exchange, { status: this.status, bytes: this.body.size });
    this.owner.settled(this);
  }

  /** Its deadline has passed: its stream alone is ended. */
  expire(): void {
    this.owner.expired(this);
    this.settle(expired);
    this.cancel();
  }

  /** An answer before the final one: that has not begun, unless its head is there as well. */
  private interim(): void {
    const { exchange } = this;
    this.toldHeads++;
    if (exchange.settled) return;
    exchange.firstByteUs = this.heads > this.toldHeads ? this.lastHeadUs : null;
    exchange.step = exchange.firstByteUs === null ? 'wait' : 'body';
  }

  private readHead(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    this.toldHeads++;
    this.headers = headers;
    this.status = headers[':status'] ?? null;
    // Node's own limit holds once the server has acknowledged it, which may be behind the first answers.
    if (!this.exchange.settled && sizeOf(headers) > this.maxHeadBytes) {
      this.settle(refused(this.headLimit));
      this.cancel();
    }
  }

  private get headLimit(): LimitError {
    return new LimitError(`the head is above ${this.maxHeadBytes} bytes (--max-head)`);
  }

  private read(bytes: Buffer): void {
    if (this.exchange.settled) return;
    try {
      this.body.take(bytes);
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      this.settle(refused(error));
      this.cancel();
    }
  }

  private closed(): void {
    this.owner.closed(this);
    if (this.exchange.settled || this.isDropped) return;
    const code = this.stream?.rstCode ?? 0;
    const isBroken = this.resetCode === null && code !== 0;
    if (this.isAnswered && this.status !== null && !isBroken) this.complete();
    else if (this.resetCode !== null) this.settle(failed(resetWords(this.resetCode)));
    else this.settle(refused(code === enhanceYourCalm ? this.headLimit : new ParseError(brokenHttp2(codeName(code)))));
  }

  private complete(): void {
    const { exchange, status } = this;
    if (exchange.settled || this.isDropped || status === null) return;
    const headers = new Map(Object.entries(this.headers).map(([name, value]) => [name, String(value)]));
    exchange.answered({ status, headers, ...this.body.whole(), hasNoLength: false });
    this.owner.settled(this);
    // An answer that came before its request was sent to the end.
    if (this.stream?.writableFinished === false) this.cancel();
  }

  private cancel(): void {
    this.stream?.close(cancel);
  }
}

/** The size of a head, as RFC 9113 counts it (6.5.2). */
function sizeOf(headers: IncomingHttpHeaders): number {
  let size = 0;
  for (const name in headers) size += name.length + String(headers[name]).length + fieldOverhead;
  return size;
}

const fieldOverhead = 32;
