/** A shell that outlives this process when it is killed, and does what must then be done. */
import { spawn } from 'node:child_process';

/** Until it is dismissed, it does its work when this process is gone. */
export interface Guard {
  dismiss(): void;
}

/**
 * Starts a guard. It reads a line from this process; when its input ends without one, this process is gone. It leads a
 * session of its own, so that no signal of a terminal ends it first.
 * @param script what it then does; `$1` … are `words`
 */
export function guardWith(script: string, ...words: string[]): Guard {
  const guard = spawn('sh', ['-c', `read -r word || { ${script}; }`, 'guard', ...words], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  // Where the process may open no further file there is none, whatever its type says.
  const stdin = guard.stdin as typeof guard.stdin | undefined;
  stdin?.on('error', () => undefined);
  guard.unref();
  return {
    dismiss: () => {
      if (stdin?.writable === true) stdin.end('dismissed\n');
    },
  };
}
