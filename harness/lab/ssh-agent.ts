/**
 * An engine behind ssh, reached as Docker's own client does: `ssh host docker system dial-stdio`, by the ssh of this
 * machine, so that the user's keys, known hosts and ~/.ssh/config hold.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { EngineAddress } from './engine/engine-address.mjs';

/** A host that does not answer is given up after this. */
const connectTimeoutSec = 10;
/** Connections at once to that host; sshd takes ten that are not logged in yet. */
const mostConnections = 8;

/** An agent for node:http that speaks through ssh; a connection that is free is used again. */
export class SshAgent extends Agent {
  readonly #words: readonly string[];

  constructor({ destination, port }: Extract<EngineAddress, { kind: 'ssh' }>) {
    super({ keepAlive: true, maxFreeSockets: mostConnections });
    this.#words = [
      // No question could be answered here: several connections would ask it at once.
      ...['-o', 'BatchMode=yes', '-o', `ConnectTimeout=${connectTimeoutSec}`, '-T'],
      ...(port === null ? [] : ['-p', port]),
      ...['--', destination, 'docker', 'system', 'dial-stdio'],
    ];
  }

  override createConnection(): Duplex {
    return new SshConnection(this.#words);
  }
}

/** One ssh as a stream, with the methods of a socket that node:http calls on what it keeps. */
class SshConnection extends Duplex {
  readonly #ssh: ChildProcessByStdio<Writable, Readable, Readable>;
  #said = '';
  #heard = false;

  constructor(words: readonly string[]) {
    super();
    this.#ssh = spawn('ssh', words, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ssh.stdout.on('data', (part: Buffer) => {
      this.#heard = true;
      if (!this.push(part)) this.#ssh.stdout.pause();
    });
    this.#ssh.stderr.on('data', (part: Buffer) => (this.#said += part.toString('utf8')));
    // What is written to an ssh that has ended is told by its end.
    this.#ssh.stdin.on('error', () => undefined);
    this.#ssh.on('error', (error) => this.destroy(error));
    this.#ssh.on('close', (code) => {
      if (code === 0 || this.#heard) this.push(null);
      else this.destroy(new Error(this.#said.trim().split('\n').at(-1) ?? `ssh ended with ${code ?? 'a signal'}`));
    });
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    // Why ssh takes no more, its end tells better.
    this.#ssh.stdin.write(part, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#ssh.kill();
    // What ssh may have started holds the pipes open, and this process with them.
    for (const pipe of [this.#ssh.stdin, this.#ssh.stdout, this.#ssh.stderr]) pipe.destroy();
    this.#ssh.unref();
    done(error);
  }

  // What node:http sets of a socket, and an ssh has not.
  readonly setKeepAlive = (): this => this;
  readonly setNoDelay = (): this => this;
  readonly setTimeout = (): this => this;

  /** An idle connection keeps no process alive. */
  unref(): this {
    for (const part of this.#parts()) part.unref();
    return this;
  }

  ref(): this {
    for (const part of this.#parts()) part.ref();
    return this;
  }

  /** The child and its pipes, which are sockets; the types do not say so. */
  #parts(): readonly { ref(): void; unref(): void }[] {
    const { stdin, stdout, stderr } = this.#ssh;
    return [this.#ssh, ...([stdin, stdout, stderr] as unknown as Socket[])];
  }
}
