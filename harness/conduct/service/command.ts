/**
 * The user's command under the load: in a session of its own, so that all of it can be ended, and with its output in a file
 * that has no name, so that what it leaves running holds no pipe of ours open.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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

  private constructor(pid: number | undefined, ended: Promise<CommandEnd>, output: Output) {
    this.pid = pid;
    this.output = output;
    this.guard = guardOf(pid);
    this.ended = ended.finally(async () => {
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
    const [program = '', ...args] = [...words, ...(file === null ? ['-c', script] : [file])];
    const env = { ...commandEnvironment(), ...variables };
    const child = spawn(program, args, { detached: true, stdio: ['ignore', output.fd, output.fd], env });
    const ended = endOf(child, program).finally(async () => {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    });
    return new RunningCommand(child.pid, ended, output);
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

/** Ends the command's group when this process is killed. */
function guardOf(group: number | undefined): Guard {
  if (group === undefined) return { dismiss: () => undefined };
  const script = `kill -s TERM -- "-$1"; sleep ${killAfterMs / 1000}; kill -s KILL -- "-$1"`;
  return guardWith(script, String(group));
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

async function endOf(child: ChildProcess, program: string): Promise<CommandEnd> {
  try {
    const [status, signal] = (await once(child, 'exit')) as [number, null] | [null, NodeJS.Signals];
    if (status === null) return { how: signal, failure: `was ended by ${signal}` };
    const how = `status ${status}`;
    return { how, failure: status === 0 ? null : `failed with ${how}${whyFailed(status)}` };
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    return { how: code, failure: `could not be started by ${program} (${code})` };
  }
}

/** What a shell's status says of a part of its script. */
function whyFailed(status: number): string {
  if (status === 127) return ' (something in it was not found)';
  if (status === 126) return ' (something in it cannot be executed)';
  const killedBy = signalNames.get(status - 128);
  return killedBy === undefined ? '' : ` (something in it was ended by ${killedBy})`;
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

/** Runs of a command of which something may go on: a run that is cut short ends it, any other leaves it alone. */
export class LeftRunning {
  private readonly commands = new Set<RunningCommand>();

  /** Takes a command into its care, and lets go of those of which nothing goes on. */
  async add(command: RunningCommand): Promise<void> {
    const before = [...this.commands];
    this.commands.add(command);
    for (const one of before) {
      if ((await one.others()).length > 0) continue;
      this.commands.delete(one);
      await one.close();
    }
  }

  async processes(): Promise<ProcessSeen[]> {
    return (await Promise.all([...this.commands].map((one) => one.others()))).flat();
  }

  async endAll(): Promise<ProcessSeen[]> {
    return (await Promise.all([...this.commands].map((one) => one.endAll()))).flat();
  }

  async close(): Promise<void> {
    await Promise.all([...this.commands].map((one) => one.close()));
  }
}
