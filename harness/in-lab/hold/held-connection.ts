/** One life of a held connection: opened, watched without another word, and ended by the service, or with the load. */
import { monotonicUs } from '../../base/clock.ts';
import type { HoldKind } from '../../experiment/hold.ts';
import { closeNotify, deadlineWords, outcomeOfError, socketWords, type Step } from '../../run/failure-words.ts';
import type { HoldEnd, HoldRow } from '../../run/files/holds.ts';
import { AnswerSocket, afterNextPoll } from '../connection/answer-socket.ts';
import { LimitError, ParseError } from '../connection/response-parser.ts';
import { SecureLayer, type SecureTarget } from '../connection/secure-layer.ts';
import { HoldReader, type Goodbye } from './hold-readers.ts';
import { closeFrame, newKey } from './web-socket.ts';

/** What all lives of all holders share. */
export interface HeldTarget {
  readonly kind: HoldKind;
  /** An IP literal, or the path of a Unix socket. */
  readonly host: string;
  /** null of a Unix socket. */
  readonly port: number | null;
  readonly secure: SecureTarget | null;
  readonly maxHeadBytes: number;
  /** The time from its beginning until it is open. */
  readonly deadlineMs: number;
  /** CLOCK_MONOTONIC of the load's origin. */
  readonly originUs: number;
  /** The bytes of the request. @param key of a web socket's handshake */
  readonly request: (life: LifeName, key: string) => Buffer;
}

/** Which life it is. */
export type LifeName = Pick<HoldRow, 'holder' | 'generation'>;

/** A service that has said goodbye on a web socket closes the connection; the client waits this long for it. */
const closeWithinMs = 1_000;
/** The code of a client that goes away. */
const goingAway = 1001;

/** A connection that is held, or on its way there. */
export class HeldConnection {
  private readonly target: HeldTarget;
  private readonly life: LifeName;
  private readonly onOver: (row: HoldRow) => void;
  private readonly reader: HoldReader;
  private readonly socket: AnswerSocket;
  private readonly key: string;
  private readonly begunUs: number;
  private layer: SecureLayer | null = null;
  private step: Step = 'connect';
  private isNotified = false;
  /** Known already, while the connection is still to be closed. */
  private goodbye: { readonly told: Goodbye; readonly atUs: number } | null = null;
  private isOver = false;
  private timer: NodeJS.Timeout;

  /** Connects at once. @param onOver takes the life's row when it has ended, and nothing is open any more */
  constructor(target: HeldTarget, life: LifeName, onOver: (row: HoldRow) => void) {
    this.target = target;
    this.life = life;
    this.onOver = onOver;
    const { key, accept } = newKey();
    this.key = key;
    this.reader = new HoldReader({
      kind: target.kind,
      maxHeadBytes: target.maxHeadBytes,
      accept,
      reply: (frame) => this.write(frame),
    });
    this.begunUs = this.now();
    this.timer = setTimeout(() => this.expire(), target.deadlineMs);
    this.socket = new AnswerSocket((bytes) => {
      if (this.layer === null) this.received(bytes);
      else this.layer.feed(bytes);
    });
    const { host, port } = target;
    this.socket.connect(port === null ? { path: host } : { host, port });
    this.socket.on('connect', () => this.connected());
    this.socket.on('end', () => this.closed('FIN'));
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.failed(error.code ?? error.message));
    this.socket.on('close', () => this.closed('FIN'));
  }

  /** The load is over: ends it, unless the service has ended it by now. */
  release(): void {
    if (this.isOver) return;
    if (this.target.kind === 'websocket' && this.reader.openedUs !== null) this.write(closeFrame(goingAway));
    this.over('end-of-load', null);
  }

  private now(): number {
    return monotonicUs() - this.target.originUs;
  }

  private connected(): void {
    // As for the load's connections: an answer may have come already.
    this.socket.read(0);
    const { secure } = this.target;
    if (secure === null) {
      this.ask();
      return;
    }
    this.step = 'handshake';
    this.layer = new SecureLayer(this.socket, secure, {
      secured: () => this.ask(),
      received: (bytes) => this.received(bytes),
      ended: () => this.notified(),
      failed: (word) => this.failed(word),
    });
  }

  private ask(): void {
    this.step = 'wait';
    this.write(this.target.request(this.life, this.key));
  }

  private write(bytes: Buffer): void {
    if (this.layer === null) this.socket.write(bytes);
    else this.layer.write(bytes);
  }

  private received(bytes: Buffer): void {
    const { reader } = this;
    if (this.isOver || this.goodbye !== null) return;
    const atUs = this.now();
    try {
      const told = reader.feed(bytes, atUs);
      if (reader.openedUs !== null) clearTimeout(this.timer);
      if (told !== null) this.endsWith(told, atUs);
    } catch (error) {
      if (error instanceof ParseError) this.over('parse', error.message);
      else if (error instanceof LimitError) this.over('local', error.message);
      else throw error;
    }
  }

  private endsWith(told: Goodbye, atUs: number): void {
    this.goodbye = { told, atUs };
    if (told.ending !== 'close-frame') {
      this.over(told.ending, told.error);
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.over(told.ending, told.error), closeWithinMs);
  }

  /** As for the load's connections: a reset that stands behind close_notify tells more. */
  private notified(): void {
    this.isNotified = true;
    afterNextPoll(() => this.closed(closeNotify));
  }

  /** The service has closed the connection. */
  private closed(word: string): void {
    const isOfHandshake = this.step === 'handshake' && this.reader.openedUs === null;
    this.brokenOff(isOfHandshake ? 'tls' : 'fin', this.isNotified ? closeNotify : word);
  }

  private failed(code: string): void {
    const word = this.target.port === null && this.step === 'connect' ? socketWords(code) : code;
    this.brokenOff(endOfError(word, this.step), word);
  }

  private brokenOff(end: HoldEnd, word: string): void {
    const { openedUs, isMidway } = this.reader;
    const isCut = isMidway && end !== 'local';
    this.over(isCut ? 'cut' : end, `${word}, ${openedUs === null ? this.step : 'open'}`);
  }

  private expire(): void {
    this.over(this.step === 'handshake' ? 'tls' : 'timeout', deadlineWords(this.step));
  }

  private over(ending: HoldEnd, error: string | null): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    const { reader, goodbye } = this;
    const row: HoldRow = {
      ...this.life,
      kind: this.target.kind,
      begunUs: this.begunUs,
      openedUs: reader.openedUs,
      messages: reader.messages,
      bytes: reader.bytes,
      lastMessageUs: reader.lastMessageUs,
      endedUs: goodbye?.atUs ?? this.now(),
      ending,
      error,
      ...goodbye?.told,
    };
    this.layer?.close();
    this.socket.destroy();
    this.onOver(row);
  }
}

/** What stands in the row for an outcome that a request would have had; any other is a reset. */
const endings: Readonly<Record<string, HoldEnd>> = {
  local: 'local',
  tls: 'tls',
  unreachable: 'unreachable',
  refused: 'refused',
  timeout: 'timeout',
  'connect-timeout': 'timeout',
};

/** The end of a connection by an error of its socket, or of TLS. */
function endOfError(code: string, step: Step): HoldEnd {
  return endings[outcomeOfError(code, step)] ?? 'rst';
}
