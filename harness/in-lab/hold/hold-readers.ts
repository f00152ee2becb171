/** What each kind of held connection makes of the bytes that come: when it is open, its messages, its regular end. */
import type { HoldKind } from '../../experiment/hold.ts';
import type { HoldRow } from '../../run/files/holds.ts';
import { ParseError, type Answer } from '../connection/answer.ts';
import { ResponseParser } from '../connection/response-parser.ts';
import { EventStream } from './event-stream.ts';
import { FrameReader } from './web-socket.ts';

/** An end that the service's bytes tell. */
export type Goodbye = Pick<HoldRow, 'ending' | 'status' | 'closeCode'> & { readonly error: string | null };

/** What a reader needs to know. */
export interface ReaderSetting {
  readonly kind: HoldKind;
  readonly maxHeadBytes: number;
  /** Of a web socket: what its handshake must be answered with. */
  readonly accept: string;
  /** Sends a frame. */
  readonly reply: (frame: Buffer) => void;
}

/** Reads one life of a held connection. */
export class HoldReader {
  openedUs: number | null = null;
  lastMessageUs: number | null = null;
  /** Bytes that came on an idle connection behind its answer. */
  private strayBytes = 0;
  private readonly setting: ReaderSetting;
  private readonly parser: ResponseParser;
  private readonly stream = new EventStream();
  private readonly frames: FrameReader;
  private nowUs = 0;
  private goodbye: Goodbye | null = null;

  constructor(setting: ReaderSetting) {
    this.setting = setting;
    const { kind, maxHeadBytes } = setting;
    this.frames = new FrameReader(setting.reply);
    this.parser = new ResponseParser({
      maxHeadBytes,
      maxAnswerBytes: Infinity,
      upgrades: kind === 'websocket',
      onBody: (bytes) => this.tookBody(bytes),
    });
  }

  get messages(): number {
    return this.setting.kind === 'websocket' ? this.frames.messages : this.stream.events;
  }

  get bytes(): number {
    return this.frames.bytes + this.parser.bodyBytes + this.strayBytes;
  }

  /** Would an end now leave a message, or an answer, without its end? */
  get isMidway(): boolean {
    if (this.openedUs === null) return false;
    switch (this.setting.kind) {
      case 'sse':
        return this.stream.isMidway || this.parser.isMidway;
      case 'websocket':
        return this.frames.isMidway;
      case 'slow-response':
        // Without a length nobody can tell; a chunked answer has its end in its last chunk.
        return !this.parser.endsByClose;
      case 'idle':
        return false;
    }
  }

  /**
   * Takes bytes as they arrive.
   * @returns the end, where they tell one
   * @throws {ParseError | LimitError} when they are not of the protocol, or too many
   */
  feed(bytes: Buffer, atUs: number): Goodbye | null {
    this.nowUs = atUs;
    if (this.openedUs !== null && this.setting.kind === 'idle') this.strayBytes += bytes.length;
    else if (this.openedUs !== null && this.setting.kind === 'websocket') this.tookFrames(bytes);
    else {
      const response = this.parser.feed(bytes, atUs);
      this.lookAtHead(response ?? this.parser.head);
      if (response !== undefined) this.answered();
    }
    return this.goodbye;
  }

  private tookBody(bytes: Buffer): void {
    const { kind } = this.setting;
    this.lookAtHead(this.parser.head);
    if (this.openedUs === null || kind === 'idle') return;
    const { events } = this.stream;
    if (kind === 'sse') this.stream.feed(bytes);
    if (kind === 'slow-response' || this.stream.events > events) this.lastMessageUs = this.nowUs;
  }

  private tookFrames(bytes: Buffer): void {
    const { messages } = this.frames;
    this.frames.feed(bytes);
    if (this.frames.messages > messages) this.lastMessageUs = this.nowUs;
    const { closeCode, isMidway } = this.frames;
    if (closeCode === null) return;
    this.goodbye = isMidway
      ? { ending: 'cut', error: `close frame ${closeCode}, open` }
      : { ending: 'close-frame', closeCode, error: null };
  }

  /** Opens it, or says why it is not open; an idle one only when its answer is whole. */
  private lookAtHead(head: Pick<Answer, 'status' | 'headers'> | null): void {
    const { kind } = this.setting;
    if (head === null || this.openedUs !== null || this.goodbye !== null) return;
    const { status, headers } = head;
    const isExpected =
      kind === 'websocket' ? status === 101 : kind === 'sse' ? status === 200 : status >= 200 && status < 300;
    const type = headers.get('content-type') ?? '';
    if (!isExpected) this.goodbye = { ending: 'status', status, error: null };
    else if (kind === 'sse' && !/^text\/event-stream\s*(?:;|$)/iu.test(type)) {
      throw new ParseError(`the answer is no event stream (${type.slice(0, 60) || 'without a Content-Type'})`);
    } else if (kind === 'websocket' && headers.get('sec-websocket-accept') !== this.setting.accept) {
      throw new ParseError('the web socket was accepted with another key');
    } else if (kind !== 'idle') this.openedUs = this.nowUs;
  }

  private answered(): void {
    const { kind } = this.setting;
    if (this.goodbye !== null) return;
    if (kind === 'idle') this.openedUs = this.nowUs;
    else if (kind === 'websocket') this.tookFrames(this.parser.rest);
    // A proxy ends its answer in order when its server dies; a client drops the event that has no empty line (WHATWG HTML 9.2.6).
    else if (this.stream.isMidway) this.goodbye = { ending: 'cut', error: 'end of the answer, open' };
    else this.goodbye = { ending: 'complete', error: null };
  }
}
