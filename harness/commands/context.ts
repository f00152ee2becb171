/** What a command may touch of the world; only cli.ts makes one from the process. */

import { exitCodes } from '../errors.ts';

/** The world as a command sees it. */
export interface Context {
  /** Results: what a pipe or a script reads. */
  readonly stdout: (text: string) => void;
  /** Talk: progress, warnings, errors. */
  readonly stderr: (text: string) => void;
  /** May a line on stderr be written over? */
  readonly isTerminal: boolean;
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
