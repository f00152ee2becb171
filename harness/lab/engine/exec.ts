/** Commands in a container: run to their end, or kept as a conversation of lines. */
import { PassThrough, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import type { Conversation } from '../../base/conversation.ts';

/** What a command left. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. A failing command is a result, not an error. */
export async function exec(container: Docker.Container, command: readonly string[]): Promise<ExecResult> {
  const { exec: started, stream, stdout, stderr } = await start(container, command, false);
  const [out, errors] = await Promise.all([text(stdout), text(stderr), ended(stream, stdout, stderr)]);
  const { ExitCode } = await started.inspect();
  return { exitCode: ExitCode ?? -1, stdout: out, stderr: errors };
}

/** Starts a command and keeps talking with it. */
export async function converse(container: Docker.Container, command: readonly string[]): Promise<Conversation> {
  const { stream, stdout, stderr } = await start(container, command, true);
  let errors = '';
  stderr.on('data', (part: Buffer) => (errors += part.toString('utf8')));
  void ended(stream, stdout, stderr);
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

/** The part of docker-modem that its types leave out: parts the engine's framed stream into its two halves. */
interface Modem {
  demuxStream(stream: Duplex, stdout: PassThrough, stderr: PassThrough): void;
}

async function start(
  container: Docker.Container,
  command: readonly string[],
  stdin: boolean,
): Promise<{ exec: Docker.Exec; stream: Duplex; stdout: PassThrough; stderr: PassThrough }> {
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
  return { exec: made, stream, stdout, stderr };
}

/** Passes the end (or loss) of the engine's stream on to both halves, which demuxStream does not do. */
async function ended(stream: Duplex, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
    stream.once('error', () => resolve());
  });
  stdout.end();
  stderr.end();
}
