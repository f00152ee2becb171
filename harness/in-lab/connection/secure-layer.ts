/**
 * TLS over a socket. Node's own sockets tell a close_notify and a bare FIN alike, so here every byte passes by: the layer
 * is fed what the socket read, and hears nothing of the socket's end, which is its owner's to tell.
 */
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { certificateWords, notTls, tlsWords } from '../../run/failure-words.ts';
import type { AnswerSocket } from './answer-socket.ts';
import type { TlsPlan } from '../load/plan.ts';

/** What a TLS layer tells its owner. */
export interface LayerOwner {
  /** The handshake is done and the certificate accepted. @param protocol what the server chose by ALPN */
  secured(isResumed: boolean, protocol: string | false | null): void;
  /** The bytes of the answer. */
  received(bytes: Buffer): void;
  /** close_notify: the peer says that it will send no more. */
  ended(): void;
  /** @param word what failed, as a row's error says it */
  failed(word: string): void;
}

/** What all connections to a server share: certificates, and the session where sessions are resumed. */
export class SecureTarget {
  private readonly plan: TlsPlan;
  private readonly protocol: 'h2' | 'http/1.1';
  private readonly context: SecureContext;
  private session: Buffer | undefined;

  /** @throws when a certificate or key cannot be read */
  constructor(plan: TlsPlan, protocol: 'h2' | 'http/1.1' = 'http/1.1') {
    this.plan = plan;
    this.protocol = protocol;
    const { ca, cert, key } = plan;
    this.context = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
    });
  }

  /** Begins a handshake over this stream. */
  connect(stream: Duplex): TLSSocket {
    const { serverName, isInsecure, resumes } = this.plan;
    const { session } = this;
    const socket = connect({
      socket: stream,
      secureContext: this.context,
      // The name that the certificate must be for; SNI carries names only (RFC 6066, 3).
      host: serverName,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      // Said in any case: a variable of the environment must not decide it.
      rejectUnauthorized: !isInsecure,
      ALPNProtocols: [this.protocol],
      ...(resumes && session !== undefined ? { session } : {}),
    });
    if (resumes) socket.on('session', (given) => (this.session = given));
    return socket;
  }
}

/** The first byte of a record that may come in a handshake: change_cipher_spec, alert, handshake. */
const firstBytes: ReadonlySet<number> = new Set([20, 21, 22]);

/** TLS on one connection. */
export class SecureLayer {
  private readonly raw: AnswerSocket;
  private readonly owner: LayerOwner;
  private readonly stream: Duplex;
  private readonly socket: TLSSocket;
  private hasBegun = false;
  private isOver = false;
  private isSecured = false;
  /** Writes that the kernel has not taken yet. */
  private unwritten = 0;
  private onWritten: (() => void) | null = null;

  /** Sends the first message of the handshake. @param raw a connection that stands */
  constructor(raw: AnswerSocket, target: SecureTarget, owner: LayerOwner) {
    this.raw = raw;
    this.owner = owner;
    this.stream = streamOver(raw);
    this.socket = target.connect(this.stream);
    this.socket.on('secureConnect', () => {
      if (this.isOver) return;
      this.isSecured = true;
      owner.secured(this.socket.isSessionReused(), this.socket.alpnProtocol);
    });
    this.socket.on('data', (bytes: Buffer) => {
      if (!this.isOver) owner.received(bytes);
    });
    this.socket.on('end', () => {
      if (!this.isOver) owner.ended();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.isOver) owner.failed(this.isSecured ? tlsWords(error) : (certificateWords(error) ?? tlsWords(error)));
    });
  }

  /** Takes what the socket read; what comes of it is told within this call, an end or failure soon after it. */
  feed(bytes: Buffer): void {
    if (this.isOver) return;
    if (!this.hasBegun) {
      this.hasBegun = true;
      if (!firstBytes.has(bytes[0] ?? 0)) {
        this.owner.failed(notTls);
        return;
      }
    }
    // The socket overwrites its bytes.
    this.stream.push(Buffer.from(bytes));
  }

  /** Encrypts and writes, all of it together. */
  write(...parts: readonly Buffer[]): void {
    const { socket } = this;
    socket.cork();
    for (const part of parts) {
      this.unwritten++;
      socket.write(part, (error) => {
        if (error === null || error === undefined) this.written();
      });
    }
    socket.uncork();
  }

  /** Calls once everything is written: now, if it is. */
  whenWritten(then: () => void): void {
    if (this.unwritten === 0) then();
    else this.onWritten = then;
  }

  /** Says close_notify, where there is a connection to say it on, and lets go. The socket is its owner's to end. */
  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onWritten = null;
    if (this.isSecured && !this.raw.destroyed && this.unwritten === 0) this.socket.end();
    this.socket.destroy();
  }

  private written(): void {
    this.unwritten--;
    const { onWritten } = this;
    if (this.unwritten > 0 || onWritten === null) return;
    this.onWritten = null;
    onWritten();
  }
}

/** What TLS reads from and writes to. A write that fails is not told: its socket reads on first, and then tells its owner. */
function streamOver(raw: AnswerSocket): Duplex {
  return new Duplex({
    read: () => undefined,
    writev: (chunks, done) => {
      if (raw.destroyed) return;
      raw.cork();
      for (const { chunk } of chunks.slice(0, -1)) raw.write(chunk as Buffer);
      raw.write(chunks.at(-1)?.chunk as Buffer, (error) => {
        if (error === null || error === undefined) done();
      });
      raw.uncork();
    },
    autoDestroy: false,
  });
}
