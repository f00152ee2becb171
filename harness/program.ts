/** The frame of a command line: signals, help, and how errors are met. The only file that touches the process. */
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { interruptedCode, type Context } from './commands/context.ts';
import { exitCodes, HarnessError, messageOf } from './errors.ts';

/** A program without commands, and the world that they see. `afterHelp` goes below the list of commands. */
export function makeProgram(afterHelp: string, callOf: Context['callOf']): { program: Command; context: Context } {
  const program = new Command('restart-proof')
    .description('Tells, with proof, which way of restarting a service loses requests and which does not.')
    .exitOverride()
    .addHelpText('after', afterHelp);
  const context: Context = {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
    signal: interruption(),
    callOf,
    projectFolder: fileURLToPath(new URL('../', import.meta.url)),
  };
  return { program, context };
}

/** Runs the command that the process's arguments name, and sets the exit code. */
export async function runProgram(program: Command, context: Context): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error, context);
  }
}

/** Aborted by the first Ctrl-C or SIGTERM, with its name. */
function interruption(): AbortSignal {
  const interrupt = new AbortController();
  let signals = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      signals++;
      // The second time the user does not want to wait; `npm run clean` removes what is left.
      if (signals > 1) process.exit(name === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted);
      process.stderr.write(`\n${name}: stopping, keeping what was recorded, cleaning up (again to quit at once)\n`);
      interrupt.abort(name);
    });
  }
  return interrupt.signal;
}

/** Prints an error as a user should meet it; gives the exit code. */
function report(error: unknown, { signal, stderr }: Context): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
  if (signal.aborted) return interruptedCode(signal);
  if (error instanceof HarnessError) {
    stderr(`error: ${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
    return error.exitCode;
  }
  stderr(`error: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`);
  return exitCodes.inconclusive;
}
