/** One life of a held connection: opened, watched without another word, and ended by the service, or with the load. */
import { monotonicUs } from '../../base/clock.ts';
import type { HoldKind } from '../../experiment/hold.ts';
import { closeNotify, deadlineWords, outcomeOfError, type Step } from '../../run/failure-words.ts';
import type { HoldEnd, HoldRow } from '../../run/files/holds.ts';
import { AnswerError } from '../connection/answer.ts';
import { afterNextPoll } from '../connection/answer-socket.ts';
import { Transport, type Place, type TransportOwner } from '../connection/transport.ts';
import { HoldReader, type Goodbye } from './hold-readers.ts';
import { closeFrame, newKey } from './web-socket.ts';

/** What all lives of all holders share. */
export interface HeldTarget extends Place {
  readonly kind: HoldKind;
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
export class HeldConnection implements TransportOwner {
  private readonly target: HeldTarget;
  private readonly life: LifeName;
  private readonly onOver: (row: HoldRow) => void;
  private readonly reader: HoldReader;
  private readonly transport: Transport;
  private readonly key: string;
  private readonly begunUs: number;
  private step: Step = 'connect';
  /** Known already, while the connection is still to be closed. */
  private goodbye: { readonly told: Goodbye; readonly atUs: number } | null = null;
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
      reply: (frame) => this.transport.write([frame]),
    });
    this.begunUs = this.now();
    this.timer = setTimeout(() => this.expire(), target.deadlineMs);
    this.transport = new Transport(target, this, false);
  }

  /** The load is over: ends it, unless the service has ended it by now. */
  release(): void {
    if (this.transport.isClosed) return;
    if (this.target.kind === 'websocket' && this.reader.openedUs !== null)
      this.transport.write([closeFrame(goingAway)]);
    this.over('end-of-load', null);
  }

  arriving(): void {
    // It delays nobody: the load has its own thread.
  }

  connected(): void {
    this.step = 'handshake';
  }

  ready(): void {
    this.step = 'wait';
    this.transport.write([this.target.request(this.life, this.key)]);
  }

  received(bytes: Buffer): void {
    const { reader } = this;
    if (this.goodbye !== null) return;
    const atUs = this.now();
    try {
      const told = reader.feed(bytes, atUs);
      if (reader.openedUs !== null) clearTimeout(this.timer);
      if (told !== null) this.endsWith(told, atUs);
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      this.over(error.outcome, error.message);
    }
  }

  /** As for the load's connections: a reset that stands behind close_notify tells more. */
  notified(): void {
    afterNextPoll(() => this.ended(closeNotify));
  }

  /** The service has closed the connection. */
  ended(word: string): void {
    const isOfHandshake = this.step === 'handshake' && this.reader.openedUs === null;
    this.brokenOff(isOfHandshake ? 'tls' : 'fin', word);
  }

  failed(word: string): void {
    this.brokenOff(endOfError(word, this.step), word);
  }

  private now(): number {
    return monotonicUs() - this.target.originUs;
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

  private brokenOff(end: HoldEnd, word: string): void {
    const { openedUs, isMidway } = this.reader;
    const isCut = isMidway && end !== 'local';
    this.over(isCut ? 'cut' : end, `${word}, ${openedUs === null ? this.step : 'open'}`);
  }

  private expire(): void {
    this.over(this.step === 'handshake' ? 'tls' : 'timeout', deadlineWords(this.step));
  }

  private over(ending: HoldEnd, error: string | null): void {
    if (this.transport.isClosed) return;
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
    this.transport.close();
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
