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
  socketWords,
} from '../../run/failure-words.ts';
import { AnswerSocket, afterNextPoll } from './answer-socket.ts';
import type { Target } from './connection.ts';
import type { Exchange } from '../load/exchange.ts';
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
import { SecureLayer, type SecureTarget } from './secure-layer.ts';
import { StreamCall, type CallOwner } from './stream-call.ts';

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
export class StreamConnection implements CallOwner {
  private readonly target: Target;
  private readonly owner: StreamOwner;
  private readonly socket: AnswerSocket;
  /** It carries one request, and is closed after it. */
  private readonly isOwn: boolean;
  private readonly openedUs = monotonicUs();
  private layer: SecureLayer | null = null;
  /** What Node's client reads from and writes to, once HTTP/2 is spoken. */
  private wire: Duplex | null = null;
  private session: ClientHttp2Session | null = null;
  private endSession: (() => void) | null = null;
  /** Requests that wait for the connection to stand, or for a place on it. */
  private readonly joined = new Set<StreamCall>();
  /** Requests without an outcome, by their streams. */
  private readonly calls = new Map<number, StreamCall>();
  /** Streams that are not closed, with an outcome or without. */
  private readonly streams = new Set<StreamCall>();
  private limit: number;
  /** The server has said how many streams it allows. */
  private isAllowed = false;
  private goaway: string | null = null;
  private hasGreeted = false;
  private isOpen = false;
  /** Node's client is ready to open streams. */
  private isUp = false;
  private isReading = false;
  private isNotified = false;
  /** The connection has ended. */
  private isCut = false;
  /** It takes no new request. */
  private isOver = false;
  private isGone = false;
  /** When its server last said anything; CLOCK_MONOTONIC. */
  private heardUs = 0;
  /** The shortest that connecting or waiting for an answer took. */
  private rttUs = Infinity;
  private readonly incoming = new FrameReader({
    begun: (frame) => this.said(frame),
    ended: (streamId) => this.calls.get(streamId)?.answered(),
  });
  private readonly outgoing = new FrameReader({ begun: (frame) => this.saying(frame) }, prefaceLength);

  /** Connects at once: the SYN leaves within this call. */
  constructor(target: Target, owner: StreamOwner, first: Exchange) {
    this.target = target;
    this.owner = owner;
    this.isOwn = first.slot.connection === 'new';
    this.limit = this.isOwn ? 1 : firstStreams;
    this.socket = new AnswerSocket((bytes) => this.arrived(bytes));
    this.carry(first);
    this.socket.setNoDelay();
    const { host, port } = target;
    this.socket.connect(port === null ? { path: host } : { host, port });
    this.socket.on('connect', () => this.connected());
    this.socket.on('end', () => this.ended());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.failed(error.code ?? error.message));
    this.socket.on('close', () => this.ended());
  }

  /** Is nothing under way on it? */
  get isIdle(): boolean {
    return this.joined.size === 0 && this.streams.size === 0;
  }

  /** May it carry another request? What its server has said by now is read before: it may be about to close. */
  hasRoom(): boolean {
    if (!this.mayCarry()) return false;
    if (!this.isUp || this.isReading) return true;
    const end = this.socket.readNow();
    if (end === 'FIN') this.isOver = true;
    else if (end !== null) this.failed(end);
    return this.mayCarry();
  }

  /** Opens a stream for the request, as soon as the connection stands. */
  carry(exchange: Exchange): void {
    const call = new StreamCall(exchange, this.target, this);
    exchange.address = this.target.movedTo;
    exchange.sentUs = exchange.now();
    if (this.wire !== null) exchange.step = 'wait';
    else if (this.layer !== null) exchange.step = 'handshake';
    // On a connection that it helped to wait for; the words of its failure must fit.
    if (!this.isUp && exchange.step !== 'connect') exchange.connectedUs = exchange.sentUs;
    this.joined.add(call);
    if (this.isUp) this.begin();
  }

  /** Ends the connection without settling anything and without telling the owner, who asked for it. */
  discard(): void {
    this.isGone = true;
    for (const call of [...this.joined, ...this.calls.values()]) call.drop();
    this.destroy();
  }

  settled(call: StreamCall): void {
    const { exchange } = call;
    this.joined.delete(call);
    if (exchange.streamId !== null) this.calls.delete(exchange.streamId);
    const { sentUs, connectedUs, firstByteUs } = exchange;
    if (sentUs !== null && firstByteUs !== null) {
      this.rttUs = Math.min(this.rttUs, (connectedUs ?? firstByteUs) - sentUs);
    }
    if (this.joined.size > 0 || this.calls.size > 0) return;
    if (this.isOwn || this.isOver || !this.isUp) this.leave();
  }

  closed(call: StreamCall): void {
    this.streams.delete(call);
    this.begin();
    if (!this.isGone) this.owner.room();
  }

  /** A server from which nothing came since then may be gone without a word: the others wait, and no new one joins them. */
  expired({ exchange: { slot, sentUs } }: StreamCall): void {
    if (this.heardUs < slot.originUs + (sentUs ?? 0)) this.isOver = true;
  }

  private mayCarry(): boolean {
    return (
      !this.isOver &&
      !this.isGone &&
      this.joined.size + this.streams.size < this.limit &&
      (this.isUp || monotonicUs() - this.openedUs < joinUs)
    );
  }

  private connected(): void {
    this.owner.turn();
    // An answer may have come already, and Node does not begin to read after a write that fails.
    this.socket.read(0);
    this.isOpen = true;
    const { secure } = this.target;
    for (const { exchange } of this.joined) {
      exchange.connectedUs = exchange.now();
      exchange.step = secure === null ? 'wait' : 'handshake';
    }
    if (this.isGone) return;
    if (secure === null) this.start();
    else this.shakeHands(secure);
  }

  private shakeHands(secure: SecureTarget): void {
    this.layer = new SecureLayer(this.socket, secure, {
      secured: (isResumed, protocol) => this.secured(isResumed, protocol),
      received: (bytes) => this.received(bytes),
      ended: () => this.notified(),
      failed: (word) => this.failed(word),
    });
  }

  private secured(isResumed: boolean, protocol: string | false | null): void {
    if (protocol !== 'h2') {
      this.failed(noH2);
      return;
    }
    for (const { exchange } of this.joined) {
      exchange.securedUs = exchange.now();
      exchange.isResumed = isResumed;
      exchange.step = 'wait';
    }
    this.start();
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
    this.session = session;
    const destroy = session.destroy.bind(session);
    this.endSession = () => destroy();
    // Node ends all streams where one answer breaks a rule; nghttp2 resets that one, and says GOAWAY if all are lost.
    session.destroy = (error?: Error & { errno?: number }) => {
      if (error === undefined || ruleBroken.has(error.errno)) return;
      if (error.message.startsWith(tooManyFrames)) this.cut((call) => call.limit('a head has too many frames'));
      else this.broken(brokenHttp2(error.message));
    };
    session.on('error', () => undefined);
    session.on('connect', () => {
      if (this.isGone) return;
      this.isUp = true;
      session.setLocalWindowSize(connectionWindow);
      this.begin();
    });
  }

  /** Opens streams for the requests that have joined, as far as the server allows; Node would hold the others back unseen. */
  private begin(): void {
    const { session } = this;
    if (session === null || !this.isUp || this.isGone) return;
    for (const call of this.joined) {
      if (this.streams.size >= this.limit) return;
      this.joined.delete(call);
      this.streams.add(call);
      this.calls.set(call.begin(session), call);
    }
  }

  private write(parts: readonly Buffer[], done: () => void): void {
    for (const part of parts) this.outgoing.read(part, () => undefined);
    if (this.isGone) {
      done();
      return;
    }
    if (this.layer !== null) {
      this.layer.write(...parts);
      this.layer.whenWritten(done);
      return;
    }
    const { socket } = this;
    socket.cork();
    for (const part of parts.slice(0, -1)) socket.write(part);
    socket.write(parts.at(-1) ?? '', (error) => {
      if (error === null || error === undefined) done();
    });
    socket.uncork();
  }

  private arrived(bytes: Buffer): void {
    // The socket overwrites its bytes, and reads on other connections within the turn.
    const own = Buffer.from(bytes);
    const wasReading = this.isReading;
    this.isReading = true;
    if (this.calls.size > 0 || this.joined.size > 0) this.owner.turn();
    this.heardUs = monotonicUs();
    if (this.layer === null) this.received(own);
    else this.layer.feed(own);
    this.isReading = wasReading;
  }

  private received(bytes: Buffer): void {
    const { wire } = this;
    if (wire !== null && !this.isGone) this.incoming.read(bytes, (part) => wire.push(part));
  }

  /** A frame of the server's. @returns whether Node is not to see it */
  private said(frame: Frame): boolean {
    const { type, streamId } = frame;
    if (!this.hasGreeted) {
      this.hasGreeted = true;
      if (type !== frameTypes.settings) this.broken(notHttp2);
    }
    if (this.isGone) return true;
    const call = this.calls.get(streamId);
    if (type === frameTypes.headers || type === frameTypes.data) call?.arrived(type === frameTypes.headers);
    if (type === frameTypes.reset) call?.reset(readReset(frame));
    if (type === frameTypes.settings && !frame.isAck) this.allowed(readSetting(frame, maxConcurrentStreams));
    return type === frameTypes.goaway && this.goesAway(frame);
  }

  private allowed(streams: number | null): void {
    if (this.isOwn) this.limit = Math.min(streams ?? 1, 1);
    else this.limit = Math.min(streams ?? (this.isAllowed ? this.limit : mostStreams), mostStreams);
    this.isAllowed = true;
    // Once Node has heard of it as well.
    setImmediate(() => {
      this.begin();
      this.owner.room();
    });
  }

  /** Streams above the last id were not processed; the others may still be answered. */
  private goesAway(frame: Frame): boolean {
    const told = readGoaway(frame);
    if (told === null) return false;
    this.isOver = true;
    this.goaway = told.code;
    for (const call of this.joined) call.fail(goawayWords(told.code));
    for (const [id, call] of this.calls) if (id > told.lastId && !call.isAnswered) call.fail(goawayWords(told.code));
    if (this.calls.size === 0) this.leave();
    return true;
  }

  /** A frame of Node's. */
  private saying({ type, streamId, payload }: Frame): boolean {
    const exchange = this.calls.get(streamId)?.exchange;
    if (type === frameTypes.headers && exchange?.connectedUs === null) exchange.sentUs = exchange.now();
    if (type === frameTypes.goaway) this.broken(brokenHttp2(codeName(payload.readUInt32BE(4))));
    return false;
  }

  /** close_notify; a reset that is behind it by now tells more, as it does without TLS. */
  private notified(): void {
    this.isNotified = true;
    afterNextPoll(() => this.ended());
  }

  /** The peer has closed. */
  private ended(): void {
    const word = afterGoaway(this.isNotified ? closeNotify : 'FIN', this.goaway);
    this.cut((call) => call.end(word));
  }

  private failed(code: string): void {
    const isSocket = this.target.port === null && !this.isOpen;
    const word = isSocket ? socketWords(code) : afterGoaway(code, this.goaway);
    this.cut((call) => call.fail(word));
  }

  private broken(error: string): void {
    this.cut((call) => call.refuse(error));
  }

  /** The connection has ended: so does each request whose answer is not there to its end. */
  private cut(settle: (call: StreamCall) => void): void {
    if (this.isGone || this.isCut) return;
    this.isOver = true;
    this.isCut = true;
    for (const call of [...this.joined, ...this.calls.values()]) {
      if (call.isAnswered) continue;
      const { exchange } = call;
      const isFirst = exchange.connectedUs !== null || exchange.firstByteUs !== null;
      if (this.goaway === null && !isFirst && Number.isFinite(this.rttUs)) exchange.rttUs = this.rttUs;
      settle(call);
    }
    if (this.calls.size === 0) this.leave();
    // Node is about to tell of the answers that are there, unless it could not read them.
    else afterNextPoll(() => this.calls.forEach(settle));
  }

  private leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.isOver = true;
    this.destroy();
    this.owner.gone(this);
  }

  private destroy(): void {
    this.layer?.close();
    this.socket.destroy();
    this.endSession?.();
  }
}
