/**
 * What the site says: a JSON line per answered request on stdout, a JSON line per event of its life on stderr.
 * Both are written with write(2) at once, past Node's streams: a line that was logged survives SIGKILL and exit.
 */
import { writeSync } from 'node:fs';
import { monotonicUs } from './clock.ts';

/** Who speaks: in every log line, and in the headers of every answer. */
export interface Identity {
  readonly version: string;
  /** `<pid>-<process start in monotonic milliseconds>`: unique on a machine since its boot, even if pids repeat. */
  readonly instance: string;
}

/** The events of a site's life. `warning` and `failed` carry a `message`. */
export type EventName =
  | 'start'
  | 'internal-listening'
  | 'accepting'
  | 'ready'
  | 'sigterm'
  | 'not-ready'
  | 'accept-stopped'
  | 'drained'
  | 'drain-timeout'
  | 'exit'
  | 'warning'
  | 'failed';

/** One answered request, or one whose connection died first. Stamps are CLOCK_MONOTONIC microseconds. */
export interface RequestLine {
  /** The X-Request-Id header. */
  readonly request: string | null;
  readonly method: string;
  /** Path and query, as they came. */
  readonly path: string;
  /** null if the connection died before the answer had a status. */
  readonly status: number | null;
  /** When the request's headers had been read. */
  readonly receivedUs: number;
  /**
   * Just before the answer was written, so that no client can have it sooner, however long this process then waits for
   * its turn; or when the connection died.
   */
  readonly answeredUs: number;
  /** CRC-32 of the answer's body; absent if the connection died before it was written. */
  readonly bodyCrc32?: number | undefined;
  /** Of a write that reached the store: how long SQLite took to grant the lock, and OK or SQLite's name of what it said. */
  readonly store?: { readonly waitMs: number; readonly code: string };
  /** Present only if the connection died before the answer was complete. */
  readonly outcome?: 'cut';
}

/** Writes the log lines of one process. */
export interface Log {
  /** Writes an event, stamped now unless `atMonotonicUs` says otherwise. */
  event(event: EventName, detail?: Readonly<Record<string, unknown>>, atMonotonicUs?: number): void;
  /** `identity`: who it is to be from, where that is not this process as it is. */
  request(line: RequestLine, identity?: Identity): void;
}

/** A log that writes to this process's stdout and stderr. */
export function createLog(identity: Identity): Log {
  return {
    event: (event, detail = {}, atMonotonicUs = monotonicUs()) =>
      writeLine(2, JSON.stringify({ event, atMonotonicUs, ...identity, ...detail })),
    request: (line, as = identity) => writeLine(1, JSON.stringify({ ...line, ...as })),
  };
}

/** How long a reader that does not read may hold up the site, per line, before the line is given up. */
const patienceMs = 1000;

/**
 * Writes a whole line to a file descriptor before it returns. A pipe may be non-blocking (its flags are shared with
 * whoever made it): when it is full, this waits for up to a second. A reader that has gone is no reason to fail.
 */
export function writeLine(fd: number, line: string): void {
  let rest = Buffer.from(`${line}\n`);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; rest.length > 0 && waitedMs < patienceMs;) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(pause, 0, 0, 1);
      waitedMs += 1;
    }
  }
}
