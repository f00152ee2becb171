/**
 * The client's side of a web socket (RFC 6455), as far as one is held: frames are read header by header, so that a cut in the
 * middle of a message shows. `ws` does not tell that: it is an end like any other (code 1006).
 */
import { createHash, randomBytes } from 'node:crypto';
import { ParseError } from '../connection/answer.ts';

const keyEnding = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A key for the handshake, and the answer that belongs to it. */
export function newKey(): { readonly key: string; readonly accept: string } {
  const key = randomBytes(16).toString('base64');
  return { key, accept: createHash('sha1').update(`${key}${keyEnding}`).digest('base64') };
}

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const mostControlBytes = 125;

/** What stands before each client's frame. */
function frame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}

/** A close frame with this code. */
export function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(opcodes.close, payload);
}

/** The code of a close frame that has none. */
const noCode = 1005;

/** The frames that a service sends. */
export class FrameReader {
  messages = 0;
  /** Of data frames; what they carry. */
  bytes = 0;
  /** Of the close frame; null until it came. */
  closeCode: number | null = null;
  private readonly reply: (frame: Buffer) => void;
  /** Yields where more bytes are needed. */
  private readonly reading: Generator<undefined, void>;
  private pending: Buffer = Buffer.alloc(0);
  private isInHeader = true;
  private isInMessage = false;

  /** @param reply takes the answers to pings and to the close frame */
  constructor(reply: (frame: Buffer) => void) {
    this.reply = reply;
    this.reading = this.read();
  }

  /** Has a message begun that is not ended? A ping, or half a goodbye, is none. */
  get isMidway(): boolean {
    const [first] = this.pending;
    return this.isInMessage || (this.isInHeader && first !== undefined && !isControl(first & 0x0f));
  }

  /** @throws {ParseError} when the bytes are no frames that a service may send */
  feed(bytes: Buffer): void {
    this.pending = Buffer.concat([this.pending, bytes]);
    this.reading.next();
  }

  private *read(): Generator<undefined, void> {
    while (this.closeCode === null) {
      this.isInHeader = true;
      while (this.pending.length < headerLength(this.pending)) yield;
      const header = this.take(headerLength(this.pending));
      this.isInHeader = false;
      const { opcode, isLast, length } = frameOf(header);
      if (isControl(opcode)) {
        while (this.pending.length < length) yield;
        this.control(opcode, this.take(length));
        continue;
      }
      if ((opcode === opcodes.continuation) !== this.isInMessage) {
        throw new ParseError('fragments of messages out of order');
      }
      this.isInMessage = true;
      for (let left = length; left > 0;) {
        if (this.pending.length === 0) yield;
        const taken = this.take(left).length;
        this.bytes += taken;
        left -= taken;
      }
      this.isInMessage = !isLast;
      if (isLast) this.messages++;
    }
  }

  /** No more than these bytes. */
  private take(bytes: number): Buffer {
    const taken = this.pending.subarray(0, bytes);
    this.pending = this.pending.subarray(bytes);
    return taken;
  }

  private control(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.reply(frame(opcodes.pong, payload));
    if (opcode !== opcodes.close) return;
    if (payload.length === 1) throw new ParseError('a close frame with half a code');
    this.closeCode = payload.length === 0 ? noCode : payload.readUInt16BE();
    // RFC 6455, 5.5.1: the code is sent back.
    this.reply(payload.length === 0 ? frame(opcodes.close, payload) : closeFrame(this.closeCode));
  }
}

/** What a frame's header says. @throws {ParseError} when a service may send no such frame */
function frameOf(header: Buffer): { opcode: number; isLast: boolean; length: number } {
  const [first = 0, second = 0] = header;
  const opcode = first & 0x0f;
  const isLast = (first & 0x80) !== 0;
  const length = lengthIn(header);
  if ((first & 0x70) !== 0) throw new ParseError('a frame with an extension that was not asked for');
  if ((second & 0x80) !== 0) throw new ParseError('a frame of the service is masked');
  if (opcode > opcodes.pong || (opcode > opcodes.binary && !isControl(opcode))) {
    throw new ParseError(`a frame of the unknown kind ${opcode}`);
  }
  if (isControl(opcode) && (!isLast || length > mostControlBytes)) {
    throw new ParseError('a control frame that is too long');
  }
  return { opcode, isLast, length };
}

/** RFC 6455, 5.5: such frames may stand within a message, and are no part of it. */
function isControl(opcode: number): boolean {
  return opcode >= opcodes.close;
}

/** Length of a frame's header, as far as its first bytes tell. */
function headerLength(header: Buffer): number {
  const [, second] = header;
  if (second === undefined) return 2;
  const masked = (second & 0x80) === 0 ? 0 : 4;
  const length = second & 0x7f;
  return 2 + masked + (length === 126 ? 2 : length === 127 ? 8 : 0);
}

function lengthIn(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f;
  if (length < 126) return length;
  if (length === 126) return header.readUInt16BE(2);
  const long = Number(header.readBigUInt64BE(2));
  if (!Number.isSafeInteger(long)) throw new ParseError('a frame beyond all bounds');
  return long;
}
