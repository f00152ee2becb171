/**
 * Reads the answer to one request off a connection (RFC 9110, 9112). What the RFCs make a client accept is accepted;
 * where they leave the choice, curl's is made; framing is exact. The result does not depend on how TCP cuts the bytes.
 */
import { AnswerBody, LimitError, ParseError, type Answer, type BodyLimits } from './answer.ts';

/** A complete answer, and what it means for its connection. */
export interface Response extends Answer {
  /** May the connection carry another request? */
  readonly keepAlive: boolean;
  /** How long the server says that it keeps an idle connection. */
  readonly keepAliveMs: number | null;
}

/** How an answer is read. */
export interface ParserOptions extends BodyLimits {
  /** Most bytes of a head (status line and headers, interim or final), of the trailers, and of a chunk's line. */
  readonly maxHeadBytes: number;
  /**
   * The answer before this one on the connection has no body by its status or method. Some servers send one all the same, which
   * may arrive only now: it is skipped.
   */
  readonly skipsStrayBody?: boolean;
  /** The request is a HEAD: its answer has no body, whatever its Content-Length says (RFC 9110, 9.3.2). */
  readonly isHead?: boolean;
  /** The request asks for another protocol: 101 is an answer, and what follows it is `rest`. */
  readonly upgrades?: boolean;
  /** Is given the body's bytes as they come; they are overwritten by the next. */
  readonly onBody?: (bytes: Buffer) => void;
}

const lf = 0x0a;
const cr = 0x0d;
const begin = 'HTTP/1.';
const theHead = 'the head of the answer';
const statusLine = /^HTTP\/1\.(\d) +(\d{3})(?!\d)/iu;
/** The digit that tells an interim answer from the final one may not have come yet. */
const interimBegin = /^HTTP\/1\.\d +1/iu;

/** Reads on until it has what it reads; yields where more bytes are needed for that. */
type Reading<What> = Generator<undefined, What>;

/** Parser of the answer to one request; make a new one for the next. */
export class ResponseParser {
  /** Status and headers, once the final answer's head was read. */
  head: Pick<Answer, 'status' | 'headers'> | null = null;
  /** Is the close of the connection the end of the body? */
  endsByClose = false;
  private readonly options: ParserOptions;
  private readonly reading: Reading<Response>;
  private pending: Buffer = Buffer.alloc(0);
  private nowUs = 0;
  /** Bytes of `pending` in which no line ends. */
  private scanned = 0;
  /** Bytes so far of the head, or of the trailers. */
  private lineBytes = 0;
  private headUs: number | null = null;
  /** Of the head that is being read, interim or final; 0 until its first line has come. */
  private status = 0;
  private minor = 1;
  private headers = new Map<string, string>();
  private isBetweenChunks = false;
  private readonly body: AnswerBody;

  constructor(options: ParserOptions) {
    this.options = options;
    this.body = new AnswerBody(options);
    this.reading = this.read();
  }

  /** Bytes of the body so far. */
  get bodyBytes(): number {
    return this.body.size;
  }

  /** Has a part begun whose end is announced: a body of known length, a chunk? */
  get isMidway(): boolean {
    return !this.endsByClose && (!this.isBetweenChunks || this.pending.length > 0);
  }

  /** What came behind the answer. */
  get rest(): Buffer {
    return this.pending;
  }

  /** Was the final answer one that has no body, by its status or its request's method? */
  get hasNoBody(): boolean {
    return this.status === 204 || this.status === 304 || (this.options.isHead === true && this.status >= 200);
  }

  /** The final answer's status, once it was read. */
  get statusSoFar(): number | null {
    return this.status < 200 ? null : this.status;
  }

  /**
   * When the first byte of the final answer came. While it cannot be told yet whether an answer is interim, it is taken
   * for the final one.
   */
  get begunUs(): number | null {
    const isInterim = this.status === 0 ? interimBegin.test(this.pending.toString('latin1', 0, 20)) : this.status < 200;
    return isInterim ? null : this.headUs;
  }

  /**
   * Takes bytes as they arrive, and copies what it keeps of them; gives the answer when it is complete.
   * @param atUs when they arrived
   * @throws {ParseError} when they are no response
   * @throws {LimitError} when it is too large
   */
  feed(bytes: Buffer, atUs = 0): Response | undefined {
    this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    this.nowUs = atUs;
    const response = this.reading.next().value;
    // The bytes are the caller's, who reads the next ones into the same place.
    const isCallers = this.pending.length > 0 && this.pending.buffer === bytes.buffer;
    if (response === undefined && isCallers) this.pending = Buffer.from(this.pending);
    return response;
  }

  /** The peer has closed: gives the answer if that is how this one ends, nothing if it was cut. */
  end(): Response | undefined {
    return this.endsByClose ? this.response(false) : undefined;
  }

  private *read(): Reading<Response> {
    // The others announce the real answer; 101 changes the protocol.
    for (yield* this.readHead(); this.status < 200 && this.status !== 101; yield* this.readHead()) {
      this.headers = new Map();
      this.headUs = null;
      this.status = 0;
    }
    if (this.status !== 101) yield* this.readBody();
    // What follows the end belongs to no request: the connection cannot be trusted any more.
    return this.response(this.pending.length === 0 && this.keepsAlive());
  }

  private *readHead(): Reading<void> {
    this.skipStrayBody();
    while (this.pending.length === 0) {
      yield;
      this.skipStrayBody();
    }
    this.headUs = this.nowUs;
    while (!this.isBegun()) yield;
    this.takeStatus(this.takeLine(theHead) ?? (yield* this.line(theHead)));
    yield* this.readHeaders();
    this.lineBytes = 0;
    if (this.status >= 200) this.head = { status: this.status, headers: this.headers };
  }

  /** Drops what stands before the first byte of an answer; of what may be its beginning nothing. */
  private skipStrayBody(): void {
    if (this.options.skipsStrayBody !== true) return;
    const text = this.pending.toString('latin1').toUpperCase();
    const at = text.indexOf(begin);
    let kept = Math.min(begin.length - 1, text.length);
    while (!begin.startsWith(text.slice(text.length - kept))) kept--;
    this.pending = this.pending.subarray(at >= 0 ? at : text.length - kept);
  }

  /** Has all come with which an answer begins? */
  private isBegun(): boolean {
    const first = this.pending.toString('latin1', 0, begin.length).toUpperCase();
    if (!begin.startsWith(first)) throw new ParseError(`the answer does not begin with ${begin}`);
    return first === begin;
  }

  private takeStatus(line: string): void {
    const [, minor, status] = statusLine.exec(line) ?? [];
    if (minor === undefined || line.includes('\0')) throw new ParseError(`not a status line: ${shown(line)}`);
    this.status = Number(status);
    this.minor = Number(minor);
    if (this.status < 100) throw new ParseError(`not a status: ${status}`);
    if (this.status === 101 && this.options.upgrades !== true) {
      throw new ParseError('101 Switching Protocols was not asked for');
    }
  }

  private *readHeaders(): Reading<void> {
    const { headers } = this;
    let last: string | null = null;
    for (;;) {
      const line = this.takeLine(theHead) ?? (yield* this.line(theHead));
      if (line === '') return;
      if (!isFolded(line)) {
        const [name, value] = checkField(line);
        const before = headers.get(name);
        headers.set(name, before === undefined ? value : `${before}, ${value}`);
        last = name;
      } else if (last === null) {
        throw new ParseError('white space before the first header');
      } else {
        // RFC 9112, 5.2: a fold stands for spaces.
        headers.set(last, trimmed(`${headers.get(last) ?? ''} ${cleanValue(line)}`));
      }
    }
  }

  /** RFC 9112, 6.3. */
  private *readBody(): Reading<void> {
    if (this.hasNoBody) return;
    const codings = this.headers.get('transfer-encoding');
    const length = this.headers.get('content-length');
    if (codings !== undefined) {
      const last = listOf(codings).at(-1) ?? '';
      if (/^chunked\s*;/u.test(last)) throw new ParseError(`the coding chunked has no parameters: ${shown(codings)}`);
      if (last === 'chunked') {
        yield* this.readChunks();
        return;
      }
    } else if (length !== undefined) {
      const bytes = lengthOf(length);
      this.body.checkSize(bytes);
      yield* this.readBytes(bytes);
      return;
    }
    this.endsByClose = true;
    yield* this.readBytes(Infinity);
  }

  private *readChunks(): Reading<void> {
    for (;;) {
      this.isBetweenChunks = true;
      const bytes = chunkSize(yield* this.line('the line of a chunk'));
      this.isBetweenChunks = false;
      this.lineBytes = 0;
      this.body.checkSize(this.body.size + bytes);
      if (bytes === 0) break;
      yield* this.readBytes(bytes);
      yield* this.readChunkEnd();
    }
    for (let line = yield* this.line('the trailers'); line !== ''; line = yield* this.line('the trailers')) {
      if (!isFolded(line)) checkField(line);
    }
  }

  private *readChunkEnd(): Reading<void> {
    while (this.pending.length === 0 || (this.pending.length === 1 && this.pending[0] === cr)) yield;
    const length = this.pending[0] === cr ? 2 : 1;
    if (this.pending[length - 1] !== lf) throw new ParseError('a chunk is longer than its size');
    this.pending = this.pending.subarray(length);
  }

  /** So many bytes of the body. */
  private *readBytes(bytes: number): Reading<void> {
    for (let left = bytes; left > 0;) {
      if (this.pending.length === 0) yield;
      const taken = this.pending.subarray(0, left);
      this.pending = this.pending.subarray(taken.length);
      left -= taken.length;
      this.body.take(taken);
      this.options.onBody?.(taken);
    }
  }

  /** The next line; where it is there already, takeLine() costs less than this. */
  private *line(what: string): Reading<string> {
    let line = this.takeLine(what);
    for (; line === undefined; line = this.takeLine(what)) yield;
    return line;
  }

  /** The next line without its end, CRLF or LF. A CR within it stands for a space (RFC 9112, 2.2). */
  private takeLine(what: string): string | undefined {
    const { pending } = this;
    const end = pending.indexOf(lf, this.scanned);
    if (this.lineBytes + (end < 0 ? pending.length : end + 1) > this.options.maxHeadBytes) {
      throw new LimitError(`${what} is above ${this.options.maxHeadBytes} bytes (--max-head)`);
    }
    this.scanned = end < 0 ? pending.length : 0;
    if (end < 0) return undefined;
    this.lineBytes += end + 1;
    this.pending = pending.subarray(end + 1);
    return pending.toString('latin1', 0, pending[end - 1] === cr ? end - 1 : end);
  }

  /** RFC 9112, 9.3; by 6.1, framing that contradicts itself ends the connection. */
  private keepsAlive(): boolean {
    if (this.headers.has('transfer-encoding') && (this.minor === 0 || this.headers.has('content-length'))) return false;
    const says = listOf(this.headers.get('connection') ?? '');
    if (says.includes('close')) return false;
    return this.minor > 0 || says.includes('keep-alive');
  }

  private response(keepAlive: boolean): Response {
    const seconds = /(?:^|,)\s*timeout\s*=\s*(\d{1,9})/iu.exec(this.headers.get('keep-alive') ?? '')?.[1];
    return {
      status: this.status,
      headers: this.headers,
      ...this.body.whole(),
      hasNoLength: this.endsByClose,
      keepAlive,
      keepAliveMs: seconds === undefined ? null : Number(seconds) * 1000,
    };
  }
}

function isFolded(line: string): boolean {
  return line.startsWith(' ') || line.startsWith('\t');
}

/** A line's name and value; a name that no header may have is the name of one that nobody asks for. */
function checkField(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) throw new ParseError(`a header without a colon: ${shown(line)}`);
  // RFC 9112, 5.1: a proxy would take the space before a colon away.
  return [trimmed(line.slice(0, colon)).toLowerCase(), cleanValue(line.slice(colon + 1))];
}

function cleanValue(value: string): string {
  if (value.includes('\0')) throw new ParseError('a NUL in a header');
  return trimmed(value.includes('\r') ? value.replaceAll('\r', ' ') : value);
}

/** The elements of a list in lower case, the empty ones left out (RFC 9110, 5.6.1). */
function listOf(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map(trimmed)
    .filter((element) => element !== '');
}

function chunkSize(line: string): number {
  const digits = /^([0-9a-f]+)[ \t\r]*(?:;.*)?$/isu.exec(line)?.[1];
  if (digits === undefined) throw new ParseError(`not a chunk size: ${shown(line)}`);
  const bytes = Number.parseInt(digits, 16);
  if (!Number.isSafeInteger(bytes)) throw new ParseError(`a chunk size beyond all bounds: ${shown(line)}`);
  return bytes;
}

/** RFC 9110, 8.6: the same length several times is one length, anything else is none. */
function lengthOf(value: string): number {
  const lengths = new Set(value.split(',').map((one) => trimmed(one).replace(/^0+(?=\d)/u, '')));
  const [only = ''] = lengths;
  if (lengths.size !== 1 || !/^\d+$/u.test(only)) throw new ParseError(`Content-Length: ${shown(value)}`);
  const length = Number(only);
  if (!Number.isSafeInteger(length)) throw new ParseError(`a Content-Length beyond all bounds: ${shown(value)}`);
  return length;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** Without the white space around it that RFC 9110, 5.6.3, allows: spaces and tabs, and nothing else. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isWhite(text.charCodeAt(from))) from++;
  while (to > from && isWhite(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isWhite(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
