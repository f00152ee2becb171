/** A raw connection to the service: what is written on it and when, and what comes back. */
import { connect, type Socket } from 'node:net';
import { monotonicUs } from '../../base/clock.ts';
import { ResponseParser, type Response } from '../connection/response-parser.ts';
import { answerLimits } from '../load/plan.ts';
import { siteBodyBytes } from '../load/request.ts';
import type { Result, Told } from './messages.ts';

/** A request, as bytes. */
export interface Asked {
  readonly whole: Buffer;
  /** Its answer has no body. */
  readonly isHead: boolean;
}

/** A connection; one request at a time. */
export class Line {
  /** When the service ended it. */
  endedUs: number | null = null;
  /** The last answer, for who wants its headers or its body. */
  last: Response | null = null;
  private readonly socket: Socket;
  private readonly opened = Promise.withResolvers<undefined>();
  /** Resolves when the connection is made, or has failed. */
  readonly connected = this.opened.promise;
  private parser: ResponseParser | null = null;
  private sentUs = 0;
  private settle: ((result: Result, keepsOpen?: boolean) => void) | null = null;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('connect', () => this.opened.resolve(undefined));
    this.socket.on('data', (bytes) => this.feed(bytes));
    this.socket.on('end', () => this.over('closed'));
    this.socket.on('close', () => this.over('closed'));
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.over(code === 'ECONNREFUSED' ? 'refused' : 'reset');
    });
  }

  /** Can a request be written on it, as far as one knows here? */
  isOpen(): boolean {
    return this.endedUs === null;
  }

  /** Writes a whole request, and waits for its answer. */
  async ask({ whole, isHead }: Asked, timeoutMs: number): Promise<Told> {
    const told = this.answer(timeoutMs, isHead);
    this.write(whole);
    return await told;
  }

  /** Writes a part of a request. */
  write(bytes: Buffer): void {
    if (this.isOpen()) this.socket.write(bytes);
  }

  /** Waits for the answer to what is being written. */
  async answer(timeoutMs: number, isHead = false): Promise<Told> {
    this.parser = new ResponseParser({ keptBytes: siteBodyBytes, isHead, ...answerLimits });
    this.sentUs = monotonicUs();
    const { promise, resolve } = Promise.withResolvers<Told>();
    const timer = setTimeout(() => this.settle?.('timeout'), timeoutMs);
    this.settle = (result, keepsOpen = false) => {
      clearTimeout(timer);
      this.settle = null;
      resolve({ result, sentUs: this.sentUs, doneUs: monotonicUs(), keepsOpen });
    };
    if (!this.isOpen()) this.settle('closed');
    return await promise;
  }

  close(): void {
    this.socket.destroy();
  }

  private feed(bytes: Buffer): void {
    try {
      this.take(this.parser?.feed(bytes, monotonicUs()));
    } catch {
      this.settle?.('garbled');
    }
  }

  private take(response: Response | undefined): void {
    if (response === undefined) return;
    this.parser = null;
    this.last = response;
    this.settle?.(response.status, response.keepAlive);
  }

  private over(how: 'refused' | 'reset' | 'closed'): void {
    this.endedUs ??= monotonicUs();
    this.opened.resolve(undefined);
    this.take(this.parser?.end());
    this.settle?.(how);
  }
}

/** One request on a connection of its own. */
export async function askOnce(port: number, asked: Asked, timeoutMs: number): Promise<Told> {
  const line = new Line(port);
  const told = await line.ask(asked, timeoutMs);
  line.close();
  return told;
}
