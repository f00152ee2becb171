/**
 * An HTTP/2 connection, whose streams carry requests that are never sent again. Node's client speaks HTTP/2 over a stream of
 * ours, so that every frame passes by here: Node is not shown GOAWAY, and answers to it are still read.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import { Duplex } from 'node:stream';
import { monotonicUs } from '../../base/clock.ts';
import {
  afterGoaway,
  brokenHttp2,
  closeNotify,
  goawayWords,
  noH2,
  notHttp2,
  type Step,
} from '../../run/failure-words.ts';
import { closed, failed, refused, type Exchange, type Settling } from '../load/exchange.ts';
import { LimitError, ParseError } from './answer.ts';
import { afterNextPoll } from './answer-socket.ts';
import type { Target } from './connection.ts';
import {
  codeName,
  FrameReader,
  frameTypes,
  maxConcurrentStreams,
  prefaceLength,
  readGoaway,
  readReset,
  readSetting,
  type Frame,
} from './http2-frames.ts';
import { StreamCall, type CallOwner } from './stream-call.ts';
import { Transport, type Handshake, type TransportOwner } from './transport.ts';

/** What a connection tells its owner. */
export interface StreamOwner {
  /** Something happened on a connection that carries requests; called first. */
  turn(): void;
  /** There may be room for another request. */
  room(): void;
  /** The connection is gone, and with it its place under the cap. */
  gone(connection: StreamConnection): void;
}

/** Streams that a server is taken to allow before it has said so, as by Go and nghttp2. */
const firstStreams = 100;
/** Most streams on a connection, whatever its server allows: Go's. */
const mostStreams = 1_000;
/** How long requests join a connection that is still being opened. One that takes longer may never stand. */
const joinUs = 250_000;
/** Windows as Go has them: a server never waits for us, who read at once. */
const streamWindow = 4 * 2 ** 20;
const connectionWindow = 2 ** 30;
/** What Node throws at a session where a rule of HTTP is broken: nghttp2's PROTO and STREAM_CLOSED. */
const ruleBroken: ReadonlySet<number | undefined> = new Set([-505, -510]);
/** A head that comes in more frames than nghttp2 takes, whatever its size. */
const tooManyFrames = 'Too many CONTINUATION frames';

/** An open or opening connection. */
export class StreamConnection implements CallOwner, TransportOwner {
  private readonly target: Target;
  private readonly owner: StreamOwner;
  private readonly transport: Transport;
  /** It carries one request, and is closed after it. */
  private readonly isOwn: boolean;
  private readonly openedUs = monotonicUs();
  /**
   * `over`: it takes no new request. `cut`: it has ended, and Node is still to tell of the answers that came before.
   * `gone`: nothing more comes of it.
   */
  private state: 'open' | 'over' | 'cut' | 'gone' = 'open';
  /** How far it stands. */
  private step: Step = 'connect';
  /** What Node's client reads from and writes to, once HTTP/2 is spoken. */
  private wire: Duplex | null = null;
  /** Once it may open streams. */
  private session: ClientHttp2Session | null = null;
  private endSession: () => void = () => undefined;
  /** Requests that wait for the connection to stand, or for a place on it. */
  private readonly joined = new Set<StreamCall>();
  /** Requests without an outcome, by their streams. */
  private readonly calls = new Map<number, StreamCall>();
  /** Streams that are not closed, with an outcome or without. */
  private readonly streams = new Set<StreamCall>();
  private limit: number;
  private hasGreeted = false;
  private goaway: string | null = null;
  /** When its server last said anything; CLOCK_MONOTONIC. */
  private heardUs = 0;
  /** The shortest that connecting or waiting for an answer took. */
  private rttUs: number | null = null;
  private readonly incoming = new FrameReader({
    begun: (frame) => this.said(frame),
    ended: (streamId) => {
      const call = this.calls.get(streamId);
      if (call !== undefined) call.isAnswered = true;
    },
  });
  private readonly outgoing = new FrameReader({ begun: (frame) => this.saying(frame) }, prefaceLength);

  /** Connects at once: the SYN leaves within this call. */
  constructor(target: Target, owner: StreamOwner, first: Exchange) {
    this.target = target;
    this.owner = owner;
    this.isOwn = first.slot.connection === 'new';
    this.limit = this.isOwn ? 1 : firstStreams;
    this.carry(first);
    this.transport = new Transport(target, this, true);
  }

  /** Is nothing under way on it? */
  get isIdle(): boolean {
    return this.joined.size === 0 && this.streams.size === 0;
  }

  /** May it carry another request? What its server has said by now is read before: it may be about to close. */
  hasRoom(): boolean {
    if (!this.mayCarry()) return false;
    if (this.session === null) return true;
    const end = this.transport.readNow();
    if (end === 'FIN') this.takeNoMore();
    else if (end !== null) this.failed(end);
    return this.mayCarry();
  }

  /** Opens a stream for the request, as soon as the connection stands. */
  carry(exchange: Exchange): void {
    const { step } = this;
    const call = new StreamCall(exchange, this.target, this);
    exchange.begin(call, this.target.movedTo);
    exchange.step = step;
    // On a connection that it helped to wait for; the words of its failure must fit.
    if (this.session === null && step !== 'connect') exchange.connectedUs = exchange.sentUs;
    this.joined.add(call);
    this.openStreams();
  }

  /** Takes back the requests due until then that wait on a connection that stands: its server allows no more streams. */
  takeUnsent(untilDueUs: number): Exchange[] {
    if (this.session === null) return [];
    const unsent = this.unsettled().filter(({ isSent, exchange }) => !isSent && exchange.slot.dueUs <= untilDueUs);
    return unsent.map((call) => {
      call.takeBack();
      this.settled(call);
      call.exchange.takenBack();
      return call.exchange;
    });
  }

  /** Ends the connection without settling anything and without telling the owner, who asked for it. */
  discard(): void {
    for (const call of this.unsettled()) call.drop();
    this.end();
  }

  settled(call: StreamCall): void {
    const { exchange } = call;
    this.joined.delete(call);
    if (exchange.streamId !== null) this.calls.delete(exchange.streamId);
    this.rttUs = exchange.shortestTripUs(this.rttUs);
    if (this.joined.size > 0 || this.calls.size > 0) return;
    if (this.isOwn || this.state !== 'open' || this.session === null) this.leave();
  }

  closed(call: StreamCall): void {
    this.streams.delete(call);
    this.openStreams();
    if (this.state !== 'gone') this.owner.room();
  }

  /** A server from which nothing came since then may be gone without a word: the others wait, and no new one joins them. */
  expired({ exchange: { slot, sentUs } }: StreamCall): void {
    if (this.heardUs < slot.originUs + (sentUs ?? 0)) this.takeNoMore();
  }

  arriving(): void {
    if (this.calls.size > 0 || this.joined.size > 0) this.owner.turn();
    this.heardUs = monotonicUs();
  }

  connected(): void {
    this.owner.turn();
    this.step = this.target.secure === null ? 'wait' : 'handshake';
    for (const { exchange } of this.joined) {
      exchange.connectedUs = exchange.now();
      exchange.step = this.step;
    }
  }

  ready(handshake: Handshake | null): void {
    if (handshake !== null && handshake.protocol !== 'h2') {
      this.failed(noH2);
      return;
    }
    this.step = 'wait';
    for (const { exchange } of this.joined) {
      if (handshake !== null) exchange.secured(handshake.isResumed);
      exchange.step = 'wait';
    }
    this.start();
  }

  received(bytes: Buffer): void {
    const { wire } = this;
    // Whoever handed the bytes over overwrites them.
    if (wire !== null) this.incoming.read(Buffer.from(bytes), (part) => wire.push(part));
  }

  /** close_notify; a reset that is behind it by now tells more, as it does without TLS. */
  notified(): void {
    afterNextPoll(() => this.ended(closeNotify));
  }

  /** The peer has closed. */
  ended(word: string): void {
    this.cut(closed(afterGoaway(word, this.goaway)));
  }

  failed(word: string): void {
    this.cut(failed(afterGoaway(word, this.goaway)));
  }

  private unsettled(): StreamCall[] {
    return [...this.joined, ...this.calls.values()];
  }

  private mayCarry(): boolean {
    return (
      this.state === 'open' &&
      this.joined.size + this.streams.size < this.limit &&
      (this.session !== null || monotonicUs() - this.openedUs < joinUs)
    );
  }

  private takeNoMore(): void {
    if (this.state === 'open') this.state = 'over';
  }

  private start(): void {
    const wire = new Duplex({
      read: () => undefined,
      writev: (chunks, done) =>
        this.write(
          chunks.map(({ chunk }) => chunk as Buffer),
          done,
        ),
      autoDestroy: false,
    });
    this.wire = wire;
    const { maxHeadBytes } = this.target;
    // Of its URL nothing is used: each request has its own, and the stream is there.
    const session = connect('http://localhost', {
      createConnection: () => wire,
      peerMaxConcurrentStreams: firstStreams,
      maxHeaderListPairs: maxHeadBytes,
      // In megabytes; Node would end streams above it.
      maxSessionMemory: 4_096,
      settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize: maxHeadBytes },
    });
    this.endSession = session.destroy.bind(session, undefined, undefined);
    // Node ends all streams where one answer breaks a rule; nghttp2 resets that one, and says GOAWAY if all are lost.
    session.destroy = (error?: Error & { errno?: number }) => {
      if (error === undefined || ruleBroken.has(error.errno)) return;
      if (error.message.startsWith(tooManyFrames)) this.cut(refused(new LimitError('a head has too many frames')));
      else this.broken(brokenHttp2(error.message));
    };
    session.on('error', () => undefined);
    session.on('connect', () => {
      if (this.state === 'gone') return;
      this.session = session;
      session.setLocalWindowSize(connectionWindow);
      this.openStreams();
    });
  }

  /** Opens streams for the requests that have joined, as far as the server allows; Node would hold the others back unseen. */
  private openStreams(): void {
    const { session } = this;
    if (session === null || this.state === 'gone') return;
    for (const call of this.joined) {
      if (this.streams.size >= this.limit) return;
      this.joined.delete(call);
      this.streams.add(call);
      this.calls.set(call.begin(session), call);
    }
  }

  private write(parts: readonly Buffer[], done: () => void): void {
    for (const part of parts) this.outgoing.read(part, () => undefined);
    if (this.state === 'gone') {
      done();
      return;
    }
    this.transport.write(parts, done);
  }

  /** A frame of the server's. @returns whether Node is not to see it */
  private said(frame: Frame): boolean {
    const { type, streamId } = frame;
    const isGreeting = !this.hasGreeted;
    this.hasGreeted = true;
    if (isGreeting && type !== frameTypes.settings) this.broken(notHttp2);
    if (this.state === 'gone') return true;
    const call = this.calls.get(streamId);
    if (type === frameTypes.headers || type === frameTypes.data) call?.arrived(type === frameTypes.headers);
    if (type === frameTypes.reset) call?.reset(readReset(frame));
    if (type === frameTypes.settings && !frame.isAck) {
      this.allowed(readSetting(frame, maxConcurrentStreams) ?? (isGreeting ? mostStreams : this.limit));
    }
    return type === frameTypes.goaway && this.goesAway(frame);
  }

  private allowed(streams: number): void {
    this.limit = Math.min(streams, this.isOwn ? 1 : mostStreams);
    // Once Node has heard of it as well.
    setImmediate(() => {
      this.openStreams();
      this.owner.room();
    });
  }

  /** Streams above the last id were not processed; the others may still be answered. */
  private goesAway(frame: Frame): boolean {
    const told = readGoaway(frame);
    if (told === null) return false;
    this.takeNoMore();
    this.goaway = told.code;
    const isLost = ({ exchange: { streamId }, isAnswered }: StreamCall): boolean =>
      streamId === null || (streamId > told.lastId && !isAnswered);
    for (const call of this.unsettled().filter(isLost)) call.settle(failed(goawayWords(told.code)));
    if (this.calls.size === 0) this.leave();
    return true;
  }

  /** A frame of Node's. */
  private saying({ type, streamId, payload }: Frame): boolean {
    if (type === frameTypes.headers) this.calls.get(streamId)?.leaves();
    if (type === frameTypes.goaway) this.broken(brokenHttp2(codeName(payload.readUInt32BE(4))));
    return false;
  }

  private broken(error: string): void {
    this.cut(refused(new ParseError(error)));
  }

  /** The connection has ended: so does each request whose answer is not there to its end. */
  private cut(how: Settling): void {
    if (this.state === 'gone' || this.state === 'cut') return;
    this.state = 'cut';
    for (const call of this.unsettled()) {
      if (call.isAnswered) continue;
      const { exchange } = call;
      const isFirst = exchange.connectedUs !== null || exchange.firstByteUs !== null;
      if (this.goaway === null && !isFirst) exchange.rttUs = this.rttUs;
      call.settle(how);
    }
    if (this.calls.size === 0) this.leave();
    // Node is about to tell of the answers that are there, unless it could not read them.
    else afterNextPoll(() => this.calls.forEach((call) => call.settle(how)));
  }

  private leave(): void {
    if (this.state === 'gone') return;
    this.end();
    this.owner.gone(this);
  }

  private end(): void {
    this.state = 'gone';
    this.transport.close();
    this.endSession();
  }
}
