/** For tests: a context whose output is read afterwards. */
import { join } from 'node:path';
import picocolors from 'picocolors';
import type { Context } from './context.ts';

/** A context without colours that touches nothing of the process. */
export interface TestContext extends Context {
  /** What went to stdout and stderr since it was last read. */
  readonly printed: () => string;
}

/** Makes one; reports lie in `projectFolder`. */
export function testContext(projectFolder = '/nowhere', over: Partial<Context> = {}): TestContext {
  let text = '';
  const print = (part: string): void => void (text += part);
  const plain = picocolors.createColors(false);
  return {
    stdout: print,
    stderr: print,
    workflowCommand: (line) => print(`${line}\n`),
    isTerminal: false,
    columns: () => 80,
    colours: { stdout: plain, stderr: plain },
    signal: new AbortController().signal,
    callOf: (command) => `npm run ${command} --`,
    worded: (text) => text,
    reportsFolder: join(projectFolder, 'reports'),
    projectFolder,
    printed: () => {
      const was = text;
      text = '';
      return was;
    },
    ...over,
  };
}
