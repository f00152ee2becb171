/** The frame of a command line: signals, help, and how errors are met. The only file that touches the process. */
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import picocolors from 'picocolors';
import { wantsColour } from './print/colour.ts';
import { interruptedCode, type Context } from './context.ts';
import { refuseWrongWords } from './options/refusals.ts';
import { errorText, exitCodeOfError } from '../base/error-text.ts';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { explained } from '../lab/engine-errors.ts';
import { terminalText } from '../base/foreign-text.ts';
import { otherTemporaryFolder } from '../tool-environment.mjs';

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
    stdout: (text) => void process.stdout.write(terminalText(text)),
    stderr: (text) => void process.stderr.write(terminalText(text)),
    // Made of foreign text by harness/gate/annotations.ts, which words it.
    workflowCommand: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
    // Some pseudo-terminals say 0.
    columns: () => process.stderr.columns || 80,
    colours: {
      stdout: picocolors.createColors(wantsColour(process.env, process.stdout.isTTY)),
      stderr: picocolors.createColors(wantsColour(process.env, process.stderr.isTTY)),
    },
    signal: interrupt.signal,
    callOf,
    projectFolder: fileURLToPath(new URL('../../', import.meta.url)),
  };
  const temporary = otherTemporaryFolder(context.projectFolder);
  if (temporary !== undefined) process.env['TMPDIR'] = temporary;
  watchForSignals();
  return { program, context };
}

/** Runs the command that the process's arguments name, and sets the exit code. */
export async function runProgram(program: Command, context: Context): Promise<void> {
  // Words too many are told by us: that npm kept an option to itself is mostly why they are there.
  for (const command of program.commands) command.allowExcessArguments();
  program.hook('preAction', (_, command) => refuseWrongWords(command));
  const faults = watchForFaults(program, context);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error, context, isVerbose(program));
  }
  // What the command made of its end counts for nothing when something went wrong beside it.
  if (faults.exitCode() !== undefined) process.exitCode = faults.exitCode();
}

/** How long a run may take to clean up after something that nobody awaited went wrong. */
const faultGraceMs = 20_000;
/** Aborted by the first Ctrl-C, SIGTERM or fault, with its name. */
const interrupt = new AbortController();

/** What is thrown where nobody awaits it ends the run as an interruption does, so that the lab is taken down. */
function watchForFaults(program: Command, { stderr }: Context): { exitCode(): number | undefined } {
  let exitCode: number | undefined;
  const met = (thrown: unknown): void => {
    const error = explained(thrown) ?? thrown;
    if (exitCode !== undefined) return;
    process.exitCode = exitCode = exitCodeOfError(error);
    stderr(`\n${errorText(error, { verbose: isVerbose(program) })}`);
    interrupt.abort('a fault of the harness');
    setTimeout(() => process.exit(exitCode), faultGraceMs).unref();
  };
  process.on('uncaughtException', met);
  process.on('unhandledRejection', met);
  // `| head` that has seen enough is no fault; a full disk is. Where stderr goes nobody looks any more.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') met(error);
  });
  process.stderr.on('error', () => undefined);
  return { exitCode: () => exitCode };
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

/** After the first signal the process ends by itself within 5 s, whatever hangs; this leaves room for the last words. */
const orderlyEndMs = 4_500;
/** A terminal's Ctrl-C reaches us twice where npm passes it on, too: within this time they are one. */
const sameSignalMs = 300;

/** The first signal lets the run end in order, as long as that takes no longer than a user waits; the second quits at once. */
function watchForSignals(): void {
  let signals = 0;
  let lastMs = -Infinity;
  // A terminal that is closed ends a run as SIGTERM does.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const nowMs = performance.now();
      const isSame = nowMs - lastMs < sameSignalMs;
      lastMs = nowMs;
      if (isSame) return;
      signals++;
      const quit = (why: string): void => {
        process.stderr.write(`\n${why} What may be left of the lab, \`npm run clean\` takes down.\n`);
        process.exit(name === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
      };
      if (signals > 1) quit('Quit at once.');
      setTimeout(quit, orderlyEndMs, 'Cleaning up took too long.').unref();
      process.stderr.write(`\n${name}: stopping, keeping what was recorded, cleaning up (again to quit at once)\n`);
      interrupt.abort(name === 'SIGINT' ? name : 'SIGTERM');
    });
  }
}

/** Prints an error as a user should meet it; gives the exit code. */
function report(thrown: unknown, { signal, stderr }: Context, verbose: boolean): number {
  // Help and version end by being thrown too.
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.pass;
  // That a run which was stopped has stopped is no news; that its lab could not be taken down is.
  if (signal.aborted && isAbort(thrown, signal)) return interruptedCode(signal);
  const error = thrown instanceof CommanderError ? commandLineError(thrown) : (explained(thrown) ?? thrown);
  stderr(errorText(error, { verbose }));
  return signal.aborted ? interruptedCode(signal) : exitCodeOfError(error);
}

function isAbort(thrown: unknown, { reason }: AbortSignal): boolean {
  return thrown === reason || (thrown instanceof Error && thrown.name === 'AbortError');
}

/** What commander says of wrong words, in the words of the catalogue: it suggests the nearest name by itself. */
function commandLineError(error: CommanderError): HarnessError {
  const sentence = error.message.replace(/^error: /u, '').replaceAll(/\s*\n\s*/gu, ' ');
  return new HarnessError('command-line', `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`, { cause: error });
}
