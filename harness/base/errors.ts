/** Errors that a user meets: a code of the catalogue, a sentence, and what to do about it. */
import { errorCatalog, type ErrorCode } from './error-catalog.ts';

export { exitCodes } from './exit-codes.ts';
export type { ErrorCode } from './error-catalog.ts';

/**
 * Thrown for everything that can go wrong for a reason a user can understand; printed without a stack. What the process
 * exits with, and what to do about it, come from the catalogue.
 */
export class HarnessError extends Error {
  readonly code: ErrorCode;
  /** What the process exits with. */
  readonly exitCode: number;
  /** What to do about it; a sentence or command. */
  readonly hint: string;

  /**
   * @param message a sentence on what happened; lines below it may hold what a tool said
   * @param options `hint` where this place knows better than the catalogue what to do
   */
  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'HarnessError';
    this.code = code;
    this.exitCode = errorCatalog[code].exitCode;
    this.hint = options.hint ?? errorCatalog[code].advice;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
