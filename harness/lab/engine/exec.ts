/** Commands in a container: run to their end, or kept as a conversation of lines. */
import { PassThrough, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { Conversation } from '../../base/conversation.ts';

/** The parts of docker-modem that its types leave out. */
export interface Modem {
  /** Parts the engine's framed stream into its two halves. */
  demuxStream(stream: Duplex, stdout: PassThrough, stderr: PassThrough): void;
  dial(request: object, answer: (error: Error | null, stream: Duplex) => void): void;
}

/** What a command left. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. A failing command is a result, not an error. */
export async function exec(container: Docker.Container, command: readonly string[]): Promise<ExecResult> {
  const { exec: started, stdout, stderr } = await start(container, command, false);
  const [out, errors] = await Promise.all([text(stdout), text(stderr)]);
  const { ExitCode } = await started.inspect();
  return { exitCode: ExitCode ?? -1, stdout: out, stderr: errors };
}

/** Starts a command and keeps talking with it. */
export async function converse(container: Docker.Container, command: readonly string[]): Promise<Conversation> {
  const { stream, stdout, stderr } = await start(container, command, true);
  let errors = '';
  stderr.on('data', (part: Buffer) => (errors += part.toString('utf8')));
  return {
    say: (line) => {
      stream.write(`${line}\n`);
    },
    lines: wholeLines(stdout),
    close: () => {
      stream.end();
      stream.destroy();
    },
    stderr: () => errors,
  };
}

/** Yields complete lines; drops a partial last line. */
async function* wholeLines(stream: PassThrough): AsyncGenerator<string> {
  let rest = '';
  for await (const part of stream.setEncoding('utf8')) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function start(container: Docker.Container, command: readonly string[], stdin: boolean) {
  const made = await container.exec({
    Cmd: [...command],
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await made.start({ hijack: stdin, stdin });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  (container.modem as Modem).demuxStream(stream, stdout, stderr);
  // The end of the engine's stream, or its loss, is not passed on to the halves.
  void finished(stream, { writable: false })
    .catch(() => undefined)
    .then(() => [stdout.end(), stderr.end()]);
  return { exec: made, stream, stdout, stderr };
}
