/** The frame of a command line: signals, help, and how errors are met. The only file that touches the process. */
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { interruptedCode, type Context } from './commands/context.ts';
import { refuseWrongWords } from './commands/refusals.ts';
import { errorText, exitCodeOfError } from './error-text.ts';
import { exitCodes, HarnessError } from './errors.ts';

/** A program without commands, and the world that they see. `afterHelp` goes below the list of commands. */
export function makeProgram(afterHelp: string, callOf: Context['callOf']): { program: Command; context: Context } {
  const program = new Command('restart-proof')
    .description('Tells, with proof, which way of restarting a service loses requests and which does not.')
    .option('--verbose', 'with an error, its stack and causes too (or RESTART_PROOF_VERBOSE=1)')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    // An error is printed once, by runProgram.
    .configureOutput({ outputError: () => undefined })
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
  // Words too many are told by us: that npm kept an option to itself is mostly why they are there.
  for (const command of program.commands) command.allowExcessArguments();
  program.hook('preAction', (_, command) => refuseWrongWords(command));
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error, context, isVerbose(program));
  }
}

/** Asked for on the command line, by a variable, or by `npm run … --verbose`, which npm takes for itself. */
function isVerbose(program: Command): boolean {
  const { env } = process;
  return (
    program.opts<{ verbose?: true }>().verbose === true ||
    !['', '0', undefined].includes(env['RESTART_PROOF_VERBOSE']) ||
    env['npm_config_loglevel'] === 'verbose'
  );
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
function report(error: unknown, { signal, stderr }: Context, verbose: boolean): number {
  // Help and version end by being thrown too.
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.pass;
  if (signal.aborted) return interruptedCode(signal);
  const met = error instanceof CommanderError ? commandLineError(error) : error;
  stderr(errorText(met, { verbose }));
  return exitCodeOfError(met);
}

/** What commander says of wrong words, in the words of the catalogue: it suggests the nearest name by itself. */
function commandLineError(error: CommanderError): HarnessError {
  const sentence = error.message.replace(/^error: /u, '').replaceAll(/\s*\n\s*/gu, ' ');
  return new HarnessError('command-line', `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`, { cause: error });
}
