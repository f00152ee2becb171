/** What a command may touch of the world; only cli.ts makes one from the process. */
import type { Colors } from 'picocolors/types.js';
import { exitCodes } from '../base/errors.ts';

/** The world as a command sees it. */
export interface Context {
  /** Results: what a pipe or a script reads. */
  readonly stdout: (text: string) => void;
  /** A command to the CI system, such as an annotation: the one text that it must not take for plain. */
  readonly workflowCommand: (line: string) => void;
  /** Talk: progress, warnings, errors. */
  readonly stderr: (text: string) => void;
  /** May a line on stderr be written over? */
  readonly isTerminal: boolean;
  /** Characters in a line of the terminal now; read again for every line, since windows change. */
  readonly columns: () => number;
  /** Paints text for either stream, or leaves it as it is where colour is not wanted. */
  readonly colours: { readonly stdout: Colors; readonly stderr: Colors };
  /** Aborted by Ctrl-C or SIGTERM; its reason is the signal's name (or a word on what else went wrong). */
  readonly signal: AbortSignal;
  /** How a user calls a command: `npm run measure --`, or `npx restart-proof measure`. */
  readonly callOf: (command: string) => string;
  /** The folder that `reports` lies in. */
  readonly projectFolder: string;
}

/** 128 and the signal's number, as shells have it. */
export function interruptedCode(signal: AbortSignal): number {
  return signal.reason === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
}
