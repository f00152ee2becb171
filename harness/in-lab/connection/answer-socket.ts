/** A socket from which everything that arrived can be read, whatever becomes of what is written to it. */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';

/** What arrives is dealt with at once, so that one is enough. */
const oneByte = Buffer.alloc(1);
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const readAhead = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A server that refuses an upload answers, closes, and has not read it all: the kernel then resets the connection, and the
 * client's next write fails with the answer still unread. Node's sockets end with a failed write; this one reads first.
 */
export class AnswerSocket extends Socket {
  private isReadingOn = false;
  private readonly received: (bytes: Buffer) => void;

  /** @param received is given the bytes as they arrive; they are overwritten by the next */
  constructor(received: (bytes: Buffer) => void) {
    // Not by "data" events: a stream with a failed write gives out no more of them.
    super({ onread: { buffer, callback: (length) => (received(buffer.subarray(0, length)), true) } });
    this.received = received;
  }

  /** Ends the socket; after a failed write only when all that had arrived was read. */
  override destroy(error?: Error): this {
    if (this.isReadingOn || !isOfWrite(error)) return super.destroy(error);
    this.isReadingOn = true;
    this.readOn(error, this.bytesRead);
    return this;
  }

  /**
   * Has the peer said nothing, neither bytes nor a close, that waits to be read? Node offers no look at a socket: this
   * reads a byte, which is lost, so that a socket that is not silent must be ended.
   */
  isSilent(): boolean {
    return this.peek(oneByte) === null;
  }

  /**
   * Takes what has arrived by now, before the loop's poll does.
   * @returns how the connection has ended, `FIN` (which the poll will tell as well) or the system's word; null if it has not
   */
  readNow(): string | null {
    for (;;) {
      const length = this.peek(readAhead);
      if (length === null) return null;
      if (typeof length === 'string') return length;
      if (length === 0) return 'FIN';
      // Whoever gets these may read on other connections meanwhile.
      this.received(Buffer.from(readAhead.subarray(0, length)));
      if (length < readAhead.length) return null;
    }
  }

  /** Reads what is there: how much it was, the system's word for a failure, or null where nothing is. */
  private peek(into: Buffer): number | string | null {
    const { _handle: handle } = this as { _handle?: { fd?: number } | null };
    if (handle?.fd === undefined || handle.fd < 0) return null;
    const { stackTraceLimit } = Error;
    // Nobody reads the stack of the error that a silent socket throws, and it takes longer than all else here.
    Error.stackTraceLimit = 0;
    try {
      return readSync(handle.fd, into);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EAGAIN' ? null : (code ?? String(error));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /** Nothing arrives behind a reset. */
  private readOn(error: Error, bytesBefore: number): void {
    afterNextPoll(() => {
      if (this.bytesRead > bytesBefore) this.readOn(error, this.bytesRead);
      else super.destroy(error);
    });
  }
}

/** Calls when the loop has polled once: from one check phase to the next it does. */
export function afterNextPoll(then: () => void): void {
  setImmediate(() => setImmediate(then));
}

function isOfWrite(error?: NodeJS.ErrnoException): error is NodeJS.ErrnoException {
  return error?.syscall === 'write';
}
