/** Errors that a user meets: a sentence, what to do about it, and the exit code they lead to. */

/** The exit codes of every command; the README's table says the same. */
export const exitCodes = {
  pass: 0,
  expectationMissed: 1,
  usage: 2,
  inconclusive: 3,
  cannotRun: 4,
  interrupted: 130,
  terminated: 143,
} as const;

/** Thrown for everything that can go wrong for a reason a user can understand; printed without a stack. */
export class HarnessError extends Error {
  /** What the process exits with. */
  readonly exitCode: number;
  /** What to do about it; one sentence or command. */
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode: number; hint?: string | undefined; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'HarnessError';
    this.exitCode = options.exitCode;
    this.hint = options.hint;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
