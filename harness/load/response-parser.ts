/**
 * Reads one HTTP/1.1 response at a time off a connection, strictly (RFC 9112): what is not a response is an error,
 * never a guess. Nothing after the response's end is accepted, since nothing more was asked for.
 */

/** A complete answer. */
export interface Response {
  readonly status: number;
  /** Names in lower case; several lines of one name are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** May the connection carry another request? */
  readonly keepAlive: boolean;
}

/** The bytes are no HTTP/1.1 response. */
export class ParseError extends Error {}

const maxHeadBytes = 64 * 1024;
const maxBodyBytes = 16 * 1024 * 1024;
const crlf = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;

type State = 'head' | 'fixed' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'until-close';

/** Parser of the answer to one request; make a new one for the next. */
export class ResponseParser {
  private pending: Buffer = Buffer.alloc(0);
  private state: State = 'head';
  private status = 0;
  private headers = new Map<string, string>();
  private minor = 1;
  private wanted = 0;
  private readonly parts: Buffer[] = [];
  private bodySize = 0;

  /** Bytes of the body so far. */
  get bodyBytes(): number {
    return this.bodySize;
  }

  /** Status line, once it was read. */
  get statusSoFar(): number | null {
    return this.status === 0 ? null : this.status;
  }

  /**
   * Takes bytes as they arrive; gives the answer when it is complete.
   * @throws {ParseError} when they are no response, or when something follows it.
   */
  feed(bytes: Buffer): Response | undefined {
    this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    for (;;) {
      const step = this.step();
      if (step === 'more') return undefined;
      if (step === 'done') {
        if (this.pending.length > 0) throw new ParseError(`${this.pending.length} bytes after the end of the answer`);
        return this.response(this.keepAlive());
      }
    }
  }

  /** The peer has closed: gives the answer if that is how this one ends, nothing if it was cut. */
  end(): Response | undefined {
    return this.state === 'until-close' ? this.response(false) : undefined;
  }

  private step(): 'more' | 'again' | 'done' {
    switch (this.state) {
      case 'head':
        return this.readHead();
      case 'fixed':
      case 'chunk-data':
        return this.readCounted();
      case 'chunk-size':
        return this.readChunkSize();
      case 'chunk-end': {
        if (this.pending.length < 2) return 'more';
        if (!this.pending.subarray(0, 2).equals(crlf)) throw new ParseError('a chunk does not end in CRLF');
        this.pending = this.pending.subarray(2);
        this.state = 'chunk-size';
        return 'again';
      }
      case 'trailers': {
        const line = this.takeLine();
        if (line === undefined) return 'more';
        if (line === '') return 'done';
        headerOf(line);
        return 'again';
      }
      case 'until-close':
        this.keep(this.pending);
        this.pending = Buffer.alloc(0);
        return 'more';
    }
  }

  private readHead(): 'more' | 'again' | 'done' {
    const end = this.pending.indexOf(headEnd);
    if (end < 0) {
      if (this.pending.length > maxHeadBytes) throw new ParseError('the head of the answer is above 64 KiB');
      if (!'HTTP/1.'.startsWith(this.pending.toString('latin1', 0, Math.min(7, this.pending.length)))) {
        throw new ParseError('the answer does not begin with HTTP/1.');
      }
      return 'more';
    }
    const [statusLine = '', ...lines] = this.pending.toString('latin1', 0, end).split('\r\n');
    this.pending = this.pending.subarray(end + headEnd.length);
    const match = /^HTTP\/1\.([01]) (\d{3})(?: [^\r\n]*)?$/u.exec(statusLine);
    if (match === null) throw new ParseError(`not a status line: ${JSON.stringify(statusLine.slice(0, 60))}`);
    const status = Number(match[2]);
    if (status < 100) throw new ParseError(`not a status: ${status}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [name, value] = headerOf(line);
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    if (status < 200) {
      // 101 would change the protocol, which was not asked for; the others announce the real answer.
      if (status === 101) throw new ParseError('101 Switching Protocols was not asked for');
      return 'again';
    }
    this.status = status;
    this.headers = headers;
    this.minor = Number(match[1]);
    return this.bodyBegins();
  }

  private bodyBegins(): 'again' | 'done' {
    if (this.status === 204 || this.status === 304) return 'done';
    const coding = this.headers.get('transfer-encoding');
    const length = this.headers.get('content-length');
    if (coding !== undefined) {
      if (coding.trim().toLowerCase() !== 'chunked') throw new ParseError(`transfer coding ${coding} is not known`);
      if (length !== undefined) throw new ParseError('both Transfer-Encoding and Content-Length');
      this.state = 'chunk-size';
      return 'again';
    }
    if (length !== undefined) {
      const lengths = new Set(length.split(',').map((one) => one.trim()));
      const [only = ''] = lengths;
      if (lengths.size !== 1 || !/^\d{1,15}$/u.test(only)) throw new ParseError(`Content-Length: ${length}`);
      this.wanted = Number(only);
      this.state = 'fixed';
      return this.wanted === 0 ? 'done' : 'again';
    }
    this.state = 'until-close';
    return 'again';
  }

  private readCounted(): 'more' | 'again' | 'done' {
    const taken = this.pending.subarray(0, this.wanted);
    this.pending = this.pending.subarray(taken.length);
    this.keep(taken);
    this.wanted -= taken.length;
    if (this.wanted > 0) return 'more';
    if (this.state === 'fixed') return 'done';
    this.state = 'chunk-end';
    return 'again';
  }

  private readChunkSize(): 'more' | 'again' {
    const line = this.takeLine();
    if (line === undefined) return 'more';
    const match = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/iu.exec(line);
    if (match === null) throw new ParseError(`not a chunk size: ${JSON.stringify(line.slice(0, 60))}`);
    this.wanted = Number.parseInt(match[1] ?? '', 16);
    this.state = this.wanted === 0 ? 'trailers' : 'chunk-data';
    return 'again';
  }

  private takeLine(): string | undefined {
    const end = this.pending.indexOf(crlf);
    if (end < 0) {
      if (this.pending.length > maxHeadBytes) throw new ParseError('a line of the answer is above 64 KiB');
      return undefined;
    }
    const line = this.pending.toString('latin1', 0, end);
    this.pending = this.pending.subarray(end + 2);
    return line;
  }

  private keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.bodySize += bytes.length;
    if (this.bodySize > maxBodyBytes) throw new ParseError('the body of the answer is above 16 MiB');
    this.parts.push(bytes);
  }

  /** RFC 9112, 9.3: HTTP/1.1 stays open unless it says close; HTTP/1.0 closes unless it says keep-alive. */
  private keepAlive(): boolean {
    const options = (this.headers.get('connection') ?? '').toLowerCase().split(',');
    const says = new Set(options.map((option) => option.trim()));
    if (says.has('close')) return false;
    return this.minor === 1 || says.has('keep-alive');
  }

  private response(keepAlive: boolean): Response {
    return { status: this.status, headers: this.headers, body: Buffer.concat(this.parts), keepAlive };
  }
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  if (colon <= 0 || !token.test(name)) throw new ParseError(`not a header: ${JSON.stringify(line.slice(0, 60))}`);
  return [name.toLowerCase(), line.slice(colon + 1).trim()];
}
