/** Errors of the gate that a user meets. */
import { HarnessError } from '../base/errors.ts';

/** Something that the user wrote cannot be used. */
export function usageError(message: string, hint?: string, cause?: unknown): HarnessError {
  return new HarnessError('gate-unusable', message, { hint, cause });
}
