/**
 * What carries bytes to a server and back: a TCP connection, or one of a Unix socket, and the TLS on it. Node's own TLS
 * sockets tell a close_notify and a bare FIN alike, so TLS is fed here what the socket read, and hears nothing of its end.
 */
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { certificateWords, closeNotify, notTls, socketWords, tlsWords } from '../../run/failure-words.ts';
import { AnswerSocket } from './answer-socket.ts';
import type { SecureTarget } from './secure-target.ts';

/** Where a transport goes. */
export interface Place {
  /** An IP literal, or the path of a Unix socket. */
  readonly host: string;
  /** null of a Unix socket. */
  readonly port: number | null;
  /** How TLS is spoken; null where it is not. */
  readonly secure: SecureTarget | null;
}

/** What a handshake came to: the certificate is accepted. */
export interface Handshake {
  readonly isResumed: boolean;
  /** What the server chose by ALPN. */
  readonly protocol: string | false | null;
}

/** What a transport tells its owner; nothing more once it is closed. */
export interface TransportOwner {
  /** The connection stands; where TLS is spoken, the handshake begins. */
  connected(): void;
  /** The owner may write. @param handshake null in plain text */
  ready(handshake: Handshake | null): void;
  /** Bytes have come, of an answer or of TLS; called before they are dealt with. */
  arriving(): void;
  /** The bytes of an answer; the next ones overwrite them. */
  received(bytes: Buffer): void;
  /** The peer says close_notify: it will send no more. A reset that stands behind it tells more. */
  notified(): void;
  /** The peer has closed. @param word `close_notify` where it has said so before */
  ended(word: string): void;
  /** @param word what failed, as a row's error says it */
  failed(word: string): void;
}

/** The first byte of a record that may come in a handshake: change_cipher_spec, alert, handshake. */
const firstBytes: ReadonlySet<number> = new Set([20, 21, 22]);

/** An open or opening connection. */
export class Transport {
  /** Its owner has closed it. */
  isClosed = false;
  private readonly place: Place;
  private readonly owner: TransportOwner;
  private readonly socket: AnswerSocket;
  /** From the moment that the connection stands, where TLS is spoken. */
  private tls: TLSSocket | null = null;
  /** What TLS reads from and writes to. */
  private records: Duplex | null = null;
  private state: 'connecting' | 'connected' | 'shaking hands' | 'secured' = 'connecting';
  private isNotified = false;
  private isReading = false;

  /** Connects at once: the SYN leaves within this call. @param isForMany more than one request may be written on it */
  constructor(place: Place, owner: TransportOwner, isForMany: boolean) {
    this.place = place;
    this.owner = owner;
    this.socket = new AnswerSocket((bytes) => this.arrived(bytes));
    // A single request is never held back; to say so would cost a system call for each.
    if (isForMany) this.socket.setNoDelay();
    const { host, port } = place;
    this.socket.connect(port === null ? { path: host } : { host, port });
    this.socket.on('connect', () => this.connected());
    this.socket.on('end', () => this.ended());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.failed(error.code ?? error.message));
    this.socket.on('close', () => this.ended());
  }

  /** Has the peer said nothing, neither bytes nor a close, that waits to be read? One that is not silent must be closed. */
  isSilent(): boolean {
    return this.socket.isSilent();
  }

  /** Takes what has arrived by now, unless that is being done. @returns how the connection has ended; null if it has not */
  readNow(): string | null {
    return this.isReading ? null : this.socket.readNow();
  }

  /** Writes all parts together. @param done called once the kernel has taken them */
  write(parts: readonly Buffer[], done?: () => void): void {
    writeAll(this.tls ?? this.socket, parts, done);
  }

  /** Has the kernel taken everything? */
  get isWritten(): boolean {
    return this.socket.writableLength === 0 && (this.tls?.writableLength ?? 0) === 0;
  }

  /** Says close_notify, where there is a connection to say it on, and ends it. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { tls, socket } = this;
    if (this.state === 'secured' && !socket.destroyed && this.isWritten) tls?.end();
    tls?.destroy();
    socket.destroy();
  }

  private connected(): void {
    const { owner, socket, place } = this;
    if (this.isClosed) return;
    this.state = 'connected';
    owner.connected();
    // Before the first write, which may fail: an answer may have come already, and Node does not begin to read after it.
    socket.read(0);
    if (place.secure === null) owner.ready(null);
    else this.shakeHands(place.secure);
  }

  private shakeHands(secure: SecureTarget): void {
    this.records = recordsOver(this.socket);
    const tls = secure.connect(this.records);
    this.tls = tls;
    const { owner } = this;
    tls.on('secureConnect', () => {
      if (this.isClosed) return;
      this.state = 'secured';
      owner.ready({ isResumed: tls.isSessionReused(), protocol: tls.alpnProtocol });
    });
    tls.on('data', (bytes: Buffer) => {
      if (!this.isClosed) owner.received(bytes);
    });
    tls.on('end', () => {
      this.isNotified = true;
      if (!this.isClosed) owner.notified();
    });
    tls.on('error', (error: NodeJS.ErrnoException) => {
      const ofCertificate = this.state === 'secured' ? null : certificateWords(error);
      this.failed(ofCertificate ?? tlsWords(error));
    });
  }

  private arrived(bytes: Buffer): void {
    if (this.isClosed) return;
    const wasReading = this.isReading;
    this.isReading = true;
    this.owner.arriving();
    this.takeIn(bytes);
    this.isReading = wasReading;
  }

  private takeIn(bytes: Buffer): void {
    const { owner, records } = this;
    if (records === null) {
      owner.received(bytes);
      return;
    }
    const isFirst = this.state === 'connected';
    if (isFirst) this.state = 'shaking hands';
    if (isFirst && !firstBytes.has(bytes[0] ?? 0)) owner.failed(notTls);
    // The socket overwrites its bytes.
    else records.push(Buffer.from(bytes));
  }

  private ended(): void {
    if (!this.isClosed) this.owner.ended(this.isNotified ? closeNotify : 'FIN');
  }

  private failed(word: string): void {
    if (this.isClosed) return;
    const isSocket = this.state === 'connecting' && this.place.port === null;
    this.owner.failed(isSocket ? socketWords(word) : word);
  }
}

/** A write that fails is not told: the socket reads on first, and then tells its owner. */
function recordsOver(socket: AnswerSocket): Duplex {
  return new Duplex({
    read: () => undefined,
    writev: (chunks, done) => {
      const parts = chunks.map(({ chunk }) => chunk as Buffer);
      if (!socket.destroyed) writeAll(socket, parts, done);
    },
    autoDestroy: false,
  });
}

/** Together: a body must not wait for the acknowledgement of its head. A write that fails does not call `done`. */
function writeAll(stream: Duplex, parts: readonly Buffer[], done?: () => void): void {
  const written = done && ((error?: Error | null) => (error === null || error === undefined ? done() : undefined));
  let left = parts.length;
  if (left > 1) stream.cork();
  for (const part of parts) stream.write(part, --left === 0 ? written : undefined);
  if (parts.length > 1) stream.uncork();
}
