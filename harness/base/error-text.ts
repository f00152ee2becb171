/** An error as a user meets it: a sentence with its code, what to do, and only when asked for the stack. */
import { inspect } from 'node:util';
import { errorCatalog } from './error-catalog.ts';
import { HarnessError, messageOf } from './errors.ts';

/**
 * What is printed for anything that was thrown: a sentence, its code, advice. What is no HarnessError is a fault of the
 * harness (`internal`).
 * @param verbose adds the stack, and those of the causes
 */
export function errorText(thrown: unknown, { verbose }: { verbose: boolean }): string {
  const error = thrown instanceof HarnessError ? thrown : faultOf(thrown);
  // The code stands behind the sentence; what a tool said comes in lines of its own below it.
  const [sentence = '', ...more] = error.message.split('\n');
  const lines = [`error: ${sentence} [${error.code}]`, ...more, error.hint];
  if (verbose) lines.push('', ...stacks(error));
  return `${lines.join('\n')}\n`;
}

function faultOf(thrown: unknown): HarnessError {
  const words =
    messageOf(thrown)
      .trim()
      .split(/\s*\n\s*/u)
      .join(' ') || 'no words';
  return new HarnessError('internal', `A fault of the harness: ${words}`, { cause: thrown });
}

/** What a thrown thing makes the process exit with. */
export function exitCodeOfError(thrown: unknown): number {
  return thrown instanceof HarnessError ? thrown.exitCode : errorCatalog.internal.exitCode;
}

/** The stack of an error, and of what caused it, down to the first cause. */
function stacks(error: Error): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let each: unknown = error; each !== undefined && !seen.has(each);) {
    seen.add(each);
    const told = each instanceof Error ? (each.stack ?? each.message) : typeof each === 'string' ? each : inspect(each);
    lines.push(`${seen.size === 1 ? '' : 'caused by '}${told}`);
    each = each instanceof Error ? each.cause : undefined;
  }
  return lines;
}
