/** The frame of a command line: signals, help, errors and the exit code. The only file that touches the process. */
import { join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import picocolors from 'picocolors';
import { exitCodeOfError, errorText } from '../base/error-text.ts';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { terminalText } from '../base/foreign-text.ts';
import { explained } from '../lab/engine/engine-errors.ts';
import { cacheFolder, projectFolder } from '../project.mjs';
import { otherTemporaryFolder } from '../tool-environment.mjs';
import { addCommand, type CliCommand } from './command.ts';
import { type Context, wantsColour } from './context.ts';
import { refuseWrongWords } from './options/refusals.ts';
import { withCommands, withPages } from './print/caller-words.ts';

/** The command line that is run: of a checkout, or of the package in another project. */
interface CommandLine {
  /** Goes below the commands. */
  readonly afterHelp: string;
  /** Is it the package's? */
  readonly isPackage?: true;
}

/** Runs the command that the process's arguments name, and sets the exit code. */
export async function runProgram(commands: readonly CliCommand[], line: CommandLine): Promise<void> {
  const context = contextOfProcess(line, commands);
  const program = new Command('restart-proof')
    .description('Tells, with proof, which way of restarting a service loses requests and which does not.')
    .option('--verbose', 'with an error, its stack and causes too (or RESTART_PROOF_VERBOSE=1)')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    // An error is printed once, below.
    .configureOutput({
      outputError: () => undefined,
      writeOut: (text) => void process.stdout.write(context.worded(text)),
    })
    .addHelpText('after', line.afterHelp);
  const temporary = otherTemporaryFolder(cacheFolder());
  if (temporary !== undefined) process.env['TMPDIR'] = temporary;
  watchForSignals(context);
  const faults = watchForFaults(program, context);
  let exitCode: number = exitCodes.pass;
  for (const command of commands) {
    addCommand(program, command)
      // Excess words are refused below, with a hint: mostly npm kept an option and left its value.
      .allowExcessArguments()
      .action(async (...words: unknown[]) => {
        const code = await command.run(context, ...(words as never[]));
        exitCode = context.signal.aborted ? interruptedCode(context.signal) : code;
      });
  }
  program.hook('preAction', (_, command) => refuseWrongWords(command));
  try {
    await program.parseAsync();
  } catch (error) {
    exitCode = report(error, context, isVerbose(program));
  }
  // A fault beside the command outweighs what the command returned.
  process.exitCode = faults.exitCode() ?? exitCode;
}

function contextOfProcess({ isPackage }: CommandLine, commands: readonly CliCommand[]): Context {
  const names = commands.map(({ name }) => name);
  return {
    stdout: (text) => void process.stdout.write(terminalText(text)),
    stderr: (text) => void process.stderr.write(terminalText(text)),
    // harness/gate/ci-outputs.ts has escaped what others wrote in it.
    workflowCommand: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
    // Some pseudo-terminals say 0.
    columns: () => process.stderr.columns || 80,
    colours: {
      stdout: picocolors.createColors(wantsColour(process.env, process.stdout.isTTY)),
      stderr: picocolors.createColors(wantsColour(process.env, process.stderr.isTTY)),
    },
    signal: interrupt.signal,
    callOf: (command) => (isPackage ? `npx restart-proof ${command}` : `npm run ${command} --`),
    worded: (text) => (isPackage ? withPages(withCommands(text, names), projectFolder) : text),
    reportsFolder: isPackage ? resolve('reports') : join(projectFolder, 'reports'),
    projectFolder,
  };
}

/** How long a run may take to clean up after an error that nothing caught. */
const faultGraceMs = 20_000;
/** Aborted by the first Ctrl-C, SIGTERM or fault, with its name. */
const interrupt = new AbortController();

/** An error that nothing caught ends the run as an interruption does, so that the lab is taken down. */
function watchForFaults(program: Command, { stderr, worded }: Context): { exitCode(): number | undefined } {
  let exitCode: number | undefined;
  const met = (thrown: unknown): void => {
    if (exitCode !== undefined) return;
    const error = explained(thrown) ?? thrown;
    process.exitCode = exitCode = exitCodeOfError(error);
    stderr(`\n${worded(errorText(error, { verbose: isVerbose(program) }))}`);
    interrupt.abort('a fault of the harness');
    setTimeout(() => process.exit(exitCode), faultGraceMs).unref();
  };
  process.on('uncaughtException', met);
  process.on('unhandledRejection', met);
  // `| head` closes the pipe when it has seen enough, which is no fault; a full disk is one.
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

/** The first signal lets the run end in order, within the time that a user waits; the second quits at once. */
function watchForSignals({ worded }: Context): void {
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
        const next = worded('`npm run clean` takes down what may be left of the lab.');
        process.stderr.write(`\n${why} ${next}\n`);
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
function report(thrown: unknown, { signal, stderr, worded }: Context, verbose: boolean): number {
  // Help and version end by being thrown too.
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.pass;
  // An interrupted run needs no error for having stopped; a lab that could not be taken down does.
  if (signal.aborted && isAbort(thrown, signal)) return interruptedCode(signal);
  const error = thrown instanceof CommanderError ? commandLineError(thrown) : (explained(thrown) ?? thrown);
  stderr(worded(errorText(error, { verbose })));
  return signal.aborted ? interruptedCode(signal) : exitCodeOfError(error);
}

/** 128 and the signal's number, as shells have it. */
function interruptedCode(signal: AbortSignal): number {
  return signal.reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
}

function isAbort(thrown: unknown, { reason }: AbortSignal): boolean {
  return thrown === reason || (thrown instanceof Error && thrown.name === 'AbortError');
}

/** What commander says of wrong words, in the words of the catalogue: it suggests the nearest name by itself. */
function commandLineError(error: CommanderError): HarnessError {
  if (error.code === 'commander.help') return new HarnessError('command-line', 'A command is missing.');
  const sentence = error.message.replace(/^error: /u, '').replaceAll(/\s*\n\s*/gu, ' ');
  return new HarnessError('command-line', `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`, { cause: error });
}
