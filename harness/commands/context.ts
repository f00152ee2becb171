/** What a command may touch of the world; only cli.ts makes one from the process. */

/** The world as a command sees it. */
export interface Context {
  /** Results: what a pipe or a script reads. */
  readonly stdout: (text: string) => void;
  /** Talk: progress, warnings, errors. */
  readonly stderr: (text: string) => void;
  /** May a line on stderr be written over? */
  readonly isTerminal: boolean;
  /** Aborted by Ctrl-C or SIGTERM; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** The folder that `reports` lies in. */
  readonly projectFolder: string;
}
