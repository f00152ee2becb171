/**
 * The user's command under the load: in a session of its own, so that all of it can be ended, and with its output in a file
 * that has no name, so that what it leaves running holds no pipe of ours open.
 */
import { spawn } from 'node:child_process';
import { open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardWith, type Guard } from '../../base/guard.ts';
import { scratchFolder } from '../../base/scratch-folder.ts';
import { processesOfSession, type ProcessSeen } from './processes.ts';
import type { Shell } from './shell.ts';

/** How it ended. */
export interface CommandEnd {
  /** `status 7`, `SIGKILL`, `ENOENT`. */
  readonly how: string;
  /** Why it failed, as the end of "The command …"; null when it did not. */
  readonly failure: string | null;
}

const outputEveryMs = 100;
/** How many bytes that were read last are compared, to see that they are still there. */
const tailBytes = 64;
const killAfterMs = 2_000;
const goneAfterMs = 1_000;

/** A command that was started. */
export class RunningCommand {
  readonly ended: Promise<CommandEnd>;
  private readonly pid: number | undefined;
  private readonly output: Output;
  private readonly guard: Guard;
  private hasEnded = false;
  private readonly killAtExit: () => void;

  private constructor(started: Started, output: Output) {
    this.pid = started.pid;
    this.output = output;
    this.guard = guardOf(started.pid);
    this.ended = started.ended.finally(async () => {
      this.hasEnded = true;
      process.off('exit', this.killAtExit);
      // The group's number may be another's by then.
      if ((await this.others()).length === 0) this.guard.dismiss();
    });
    this.killAtExit = () => this.signalGroup('SIGKILL');
    process.once('exit', this.killAtExit);
  }

  /**
   * @param onOutput takes what it prints, on either stream
   * @param variables that it finds in its environment, beside ours
   */
  static async start(
    { words, takesText }: Shell,
    script: string,
    onOutput: (text: string) => void,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<RunningCommand> {
    const output = await openOutput(onOutput);
    const folder = takesText ? null : await scratchFolder('command');
    const file = folder === null ? null : join(folder, 'command');
    if (file !== null) await writeFile(file, script, { mode: 0o700 });
    const started = start([...words, ...(file === null ? ['-c', script] : [file])], output.fd, variables);
    const ended = started.ended.finally(async () => {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    });
    return new RunningCommand({ ...started, ended }, output);
  }

  /** Processes that it started and that go on; those that made a session of their own are not seen. */
  async others(): Promise<ProcessSeen[]> {
    if (this.pid === undefined) return [];
    const seen = await processesOfSession(this.pid);
    // The pid of a command that ended may be another's by now, who then leads that session.
    return this.hasEnded && seen.some(({ pid }) => pid === this.pid) ? [] : seen;
  }

  /** Ends it, and all that it started: SIGTERM, and two seconds later SIGKILL. Returns what was ended. */
  async endAll(): Promise<ProcessSeen[]> {
    const ended = await this.others();
    for (const [signal, withinMs] of [
      ['SIGTERM', killAfterMs],
      ['SIGKILL', goneAfterMs],
    ] as const) {
      let left = await this.others();
      this.signalGroup(signal, left);
      for (let waitedMs = 0; left.length > 0 && waitedMs < withinMs; waitedMs += 50) {
        await sleep(50);
        left = await this.others();
      }
      if (left.length === 0) break;
    }
    return ended;
  }

  async close(): Promise<void> {
    process.off('exit', this.killAtExit);
    this.guard.dismiss();
    await this.output.close();
  }

  private signalGroup(signal: NodeJS.Signals, members: readonly ProcessSeen[] = []): void {
    if (this.pid === undefined || (this.hasEnded && members.length === 0)) return;
    for (const pid of [-this.pid, ...members.map((member) => member.pid)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

interface Started {
  readonly pid: number | undefined;
  readonly ended: Promise<CommandEnd>;
}

function start(
  [program = '', ...words]: readonly string[],
  fd: number,
  variables: Readonly<Record<string, string>>,
): Started {
  const env = { ...commandEnvironment(), ...variables };
  const child = spawn(program, words, { detached: true, stdio: ['ignore', fd, fd], env });
  const ended = new Promise<CommandEnd>((resolve) => {
    child.on('error', ({ code = 'error' }: NodeJS.ErrnoException) =>
      resolve({ how: code, failure: `could not be started by ${program} (${code})` }),
    );
    child.on('exit', (status, signal) => resolve(endOf(status, signal)));
  });
  return { pid: child.pid, ended };
}

/** Ends the command's group when this process is killed. */
function guardOf(group: number | undefined): Guard {
  if (group === undefined) return { dismiss: () => undefined };
  const script = `kill -s TERM -- "-$1"; sleep ${killAfterMs / 1000}; kill -s KILL -- "-$1"`;
  return guardWith(script, String(group));
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

function endOf(status: number | null, signal: NodeJS.Signals | null): CommandEnd {
  if (status === null) return { how: signal ?? 'a signal', failure: `was ended by ${signal ?? 'a signal'}` };
  const how = `status ${status}`;
  if (status === 0) return { how, failure: null };
  const killedBy = signalNames.get(status - 128);
  const why =
    status === 127
      ? ' (something in it was not found)'
      : status === 126
        ? ' (something in it cannot be executed)'
        : killedBy === undefined
          ? ''
          : ` (something in it was ended by ${killedBy})`;
  return { how, failure: `failed with ${how}${why}` };
}

type Output = Awaited<ReturnType<typeof openOutput>>;

/** A file without a name, which the command writes and this process reads. */
async function openOutput(take: (text: string) => void) {
  const file = await namelessFile();
  const decoder = new TextDecoder();
  let at = 0;
  /** What stands before `at`. */
  let last = Buffer.alloc(0);
  /** `echo … > /dev/stderr` empties the file first, and another text may stand there by now. */
  const wasEmptied = async (): Promise<boolean> => {
    const there = Buffer.alloc(last.length);
    await file.read(there, 0, there.length, at - last.length);
    return !there.equals(last);
  };
  const read = async (): Promise<void> => {
    const { size } = await file.stat();
    if (await wasEmptied()) [at, last] = [0, Buffer.alloc(0)];
    while (at < size) {
      const buffer = Buffer.allocUnsafe(Math.min(size - at, 65_536));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      last = Buffer.concat([last, buffer.subarray(0, bytesRead)]).subarray(-tailBytes);
      take(decoder.decode(buffer.subarray(0, bytesRead), { stream: true }));
    }
  };
  let reading = Promise.resolve();
  const timer = setInterval(() => void (reading = reading.then(read)), outputEveryMs);
  return {
    fd: file.fd,
    close: async (): Promise<void> => {
      clearInterval(timer);
      await reading;
      await read();
      await file.close();
    },
  };
}

async function namelessFile(): Promise<FileHandle> {
  const folder = await scratchFolder('output');
  try {
    return await open(join(folder, 'output'), 'ax+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ours, without the shell's options that may be in it: `noexec` among them would run nothing, and call that a success. */
function commandEnvironment(): NodeJS.ProcessEnv {
  const isOption = (name: string): boolean => name === 'SHELLOPTS' || name === 'BASHOPTS';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOption(name)));
}
