/** An answer, whatever protocol brings it, and its body as it comes. */
import { crc32 } from 'node:zlib';

/** A complete answer. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; several lines of one name are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body's bytes; null where they were not to be kept, or are too many for that. */
  readonly body: Buffer | null;
  readonly bodyBytes: number;
  readonly bodyCrc32: number;
  /** Was the close of the connection the end of its body? */
  readonly hasNoLength: boolean;
}

/** Why an answer is not read on. */
export abstract class AnswerError extends Error {
  abstract readonly outcome: 'parse' | 'local';
}
/** Its bytes are not of the protocol. */
export class ParseError extends AnswerError {
  readonly outcome = 'parse';
}
/** It is larger than this client reads: a limit of its own. */
export class LimitError extends AnswerError {
  readonly outcome = 'local';
}

/** How much of an answer's body is read. */
export interface BodyLimits {
  readonly maxAnswerBytes: number;
  /** Most bytes of a body that are kept to be compared; a longer one is not kept. Left out: none. */
  readonly keptBytes?: number;
}

/** A body of which nothing has come yet. */
export class AnswerBody {
  size = 0;
  private crc = 0;
  private readonly maxBytes: number;
  private readonly keptBytes: number;
  private parts: Buffer[] = [];

  constructor({ maxAnswerBytes, keptBytes = 0 }: BodyLimits) {
    this.maxBytes = maxAnswerBytes;
    this.keptBytes = keptBytes;
  }

  /** Takes the next bytes, and copies what it keeps of them. @throws {LimitError} when there are too many */
  take(bytes: Buffer): void {
    this.size += bytes.length;
    this.checkSize(this.size);
    this.crc = crc32(bytes, this.crc);
    if (this.size <= this.keptBytes) this.parts.push(Buffer.from(bytes));
    else this.parts = [];
  }

  /** @throws {LimitError} when a body of this size is too large */
  checkSize(bytes: number): void {
    if (bytes <= this.maxBytes) return;
    const limit = this.maxBytes === this.keptBytes ? 'most that is compared' : '--max-answer';
    throw new LimitError(`the answer is above ${this.maxBytes} bytes (${limit})`);
  }

  /** Where it has come to its end. */
  whole(): Pick<Answer, 'body' | 'bodyBytes' | 'bodyCrc32'> {
    const isKept = this.size <= this.keptBytes && this.keptBytes > 0;
    return { body: isKept ? Buffer.concat(this.parts) : null, bodyBytes: this.size, bodyCrc32: this.crc };
  }
}
