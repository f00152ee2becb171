/** One request on a stream of an HTTP/2 connection, from its head to its single outcome. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { crc32 } from 'node:zlib';
import {
  brokenHttp2,
  deadlineWords,
  limitWords,
  outcomeOfAnswer,
  outcomeOfDeadline,
  outcomeOfEnd,
  outcomeOfError,
  resetWords,
} from '../../run/failure-words.ts';
import type { Outcome } from '../../run/files/ledger.ts';
import { mostComparedBytes } from './connection.ts';
import type { Exchange } from '../load/exchange.ts';
import { codeName } from './http2-frames.ts';
import { defaultKeptBytes, tooLarge, type Response } from './response-parser.ts';

/** What a call tells the connection that carries it. */
export interface CallOwner {
  /** Its outcome is known. */
  settled(call: StreamCall): void;
  /** Its stream is closed, and its place free. */
  closed(call: StreamCall): void;
  /** Its deadline has passed. */
  expired(call: StreamCall): void;
}

/** What is read of an answer. */
export interface AnswerLimits {
  readonly maxHeadBytes: number;
  readonly maxAnswerBytes: number;
}

const cancel = 8;
const enhanceYourCalm = 11;

/** A request that was given to a connection. */
export class StreamCall {
  readonly exchange: Exchange;
  private readonly owner: CallOwner;
  private readonly limits: AnswerLimits;
  private stream: ClientHttp2Stream | null = null;
  /** Heads of its answer that have arrived, and those of them that Node has told. */
  private heads = 0;
  private toldHeads = 0;
  private lastHeadUs = 0;
  /** The frame has come that ends the answer. */
  private isWhole = false;
  private resetCode: string | null = null;
  private isDropped = false;
  private status: number | null = null;
  private headers: IncomingHttpHeaders = {};
  private bytes = 0;
  private crc = 0;
  private readonly maxBytes: number;
  /** Most bytes of the body that are kept to be compared. */
  private readonly keptBytes: number;
  private readonly parts: Buffer[] = [];

  constructor(exchange: Exchange, limits: AnswerLimits, owner: CallOwner) {
    this.exchange = exchange;
    this.limits = limits;
    this.owner = owner;
    const { isExpectedBody, check } = exchange.slot.request;
    const isCompared = check?.needsBody === true;
    this.maxBytes = isCompared ? Math.min(limits.maxAnswerBytes, mostComparedBytes) : limits.maxAnswerBytes;
    this.keptBytes = isCompared ? mostComparedBytes : isExpectedBody === null ? 0 : defaultKeptBytes;
    exchange.carrier = this;
  }

  /** The answer's last frame is there; Node is about to tell of it. */
  get isAnswered(): boolean {
    return this.isWhole;
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
      if (this.isWhole) this.complete();
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

  /** The frame that ends its answer has come to its end. */
  answered(): void {
    this.isWhole = true;
  }

  /** The server has reset the stream; Node tells when all that came before is read. */
  reset(code: string | null): void {
    this.resetCode ??= code;
  }

  /** Nobody wants to know its outcome any more. */
  drop(): void {
    this.isDropped = true;
  }

  /** The connection failed, or the server will not answer. */
  fail(word: string): void {
    const { step } = this.exchange;
    this.settle(outcomeOfError(word, step), `${word}, ${step}`);
  }

  /** The server closed the connection. */
  end(word: string): void {
    const { step } = this.exchange;
    this.settle(outcomeOfEnd(step), `${word}, ${step}`);
  }

  /** What came is no HTTP/2. */
  refuse(error: string): void {
    this.settle('parse', error);
  }

  /** Something is larger than this client reads. */
  limit(what: string): void {
    this.settle('local', limitWords(what));
  }

  /** Its deadline has passed: its stream alone is ended. */
  expire(): void {
    const { step } = this.exchange;
    this.owner.expired(this);
    this.settle(outcomeOfDeadline(step), deadlineWords(step));
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
    if (!this.exchange.settled && sizeOf(headers) > this.limits.maxHeadBytes) {
      this.limit(this.headLimit);
      this.cancel();
    }
  }

  private get headLimit(): string {
    return `the head is above ${this.limits.maxHeadBytes} bytes (--max-head)`;
  }

  private read(bytes: Buffer): void {
    if (this.exchange.settled) return;
    this.bytes += bytes.length;
    this.crc = crc32(bytes, this.crc);
    if (this.bytes <= this.keptBytes) this.parts.push(bytes);
    if (this.bytes <= this.maxBytes) return;
    this.limit(tooLarge(this.maxBytes, this.keptBytes));
    this.cancel();
  }

  private closed(): void {
    this.owner.closed(this);
    if (this.exchange.settled || this.isDropped) return;
    const code = this.stream?.rstCode ?? 0;
    const isBroken = this.resetCode === null && code !== 0;
    if (this.isWhole && this.status !== null && !isBroken) this.complete();
    else if (this.resetCode !== null) this.fail(resetWords(this.resetCode));
    else if (code === enhanceYourCalm) this.limit(this.headLimit);
    else this.refuse(brokenHttp2(codeName(code)));
  }

  private complete(): void {
    const { exchange, status } = this;
    if (exchange.settled || this.isDropped || status === null) return;
    const { expectedStatus, isExpectedBody, check } = exchange.slot.request;
    const response: Response = {
      status,
      headers: new Map(Object.entries(this.headers).map(([name, value]) => [name, String(value)])),
      body: this.keptBytes === 0 || this.bytes > this.keptBytes ? null : Buffer.concat(this.parts),
      bodyBytes: this.bytes,
      bodyCrc32: this.crc,
      framing: 'length',
      keepAlive: true,
      keepAliveMs: null,
    };
    const outcome = outcomeOfAnswer(status, expectedStatus, isExpectedBody?.(response.body) ?? true);
    const seen = { status, bytes: this.bytes, response };
    const missed = outcome === 'ok' ? (check?.missedBy(response) ?? null) : null;
    if (missed === null) exchange.settle(outcome, seen);
    else exchange.settle('wrong', { ...seen, error: missed });
    this.owner.settled(this);
    // An answer that came before its request was sent to the end.
    if (this.stream?.writableFinished === false) this.cancel();
  }

  private settle(outcome: Outcome, error: string): void {
    this.exchange.settle(outcome, { status: this.status, bytes: this.bytes, error });
    this.owner.settled(this);
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
