/** What a command may touch of the world; only cli.ts makes one from the process. */
import type { Colors } from 'picocolors/types.js';

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
  /** A text with the commands and pages that it names (`npm run gate`, `docs/ci.md`) as the caller has them. */
  readonly worded: (text: string) => string;
  /** Where runs go unless --out says another folder, and where baselines lie. */
  readonly reportsFolder: string;
  /** The folder of the checkout or the package. */
  readonly projectFolder: string;
}

/**
 * Whether text may be coloured. NO_COLOR, if not empty, wins over FORCE_COLOR; that over a TERM that cannot; without any of them a terminal gets
 * colour, and a pipe or file does not.
 */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const { NO_COLOR: never = '', FORCE_COLOR: always = '', TERM: terminal } = env;
  if (never !== '') return false;
  if (always !== '') return always !== '0' && always !== 'false';
  return isTerminal && terminal !== 'dumb';
}
