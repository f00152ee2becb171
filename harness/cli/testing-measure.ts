/** For tests: `measure` as a user calls it, in a process of its own, beside servers of the test's own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, vi } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { listen } from '../in-lab/load/testing.ts';
import { verdictSchema, type Verdict } from '../verdict/record/verdict.ts';
import type { MeasureOptions } from './options/measure-options.ts';
import { optionArguments } from './options/option-words.ts';
import { isOnlyLate } from './testing.ts';

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** A server as anybody would write it, for `serveReplaceable`: it dies of SIGTERM as it stands. */
export const plainServer = `import { createServer } from 'node:http';
  import { writeFileSync } from 'node:fs';
  createServer((_, response) => response.end('ok')).listen(Number(process.argv[2]), '127.0.0.1', () =>
    writeFileSync(process.argv[3], String(process.pid)));`;

/** Options by their names in code. */
type Options = { readonly [Key in keyof MeasureOptions]: MeasureOptions[Key] | number };
type Env = Readonly<Record<string, string>>;

/** What a measurement came to. */
export interface Measured {
  readonly verdict: Verdict;
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** A file of the run. */
  readonly file: (name: string) => string;
  readonly textOf: (name: string) => string;
}

/** What a file's tests need: a folder of their own, `measure` that writes into it, and servers, which end with the tests. */
export function measuring() {
  const folder = testFolder();
  /** A file in it. */
  const at = (name: string): string => join(folder, name);

  /** Starts `measure`. */
  const measure = (options: Options, env: Env = {}) => {
    const words = ['measure', ...optionArguments({ out: folder, ...options })];
    return execa(process.execPath, [cliPath, ...words], { reject: false, env });
  };

  /** Measures; reads the verdict from stdout, and nothing else may be there. */
  const measured = async (options: Options, env: Env = {}): Promise<Measured> => {
    const { stdout, exitCode, stderr } = await measure({ json: true, ...options }, env);
    const verdict = verdictSchema.parse(JSON.parse(stdout));
    const file = (name: string): string => join(folder, 'measure', verdict.runId, name);
    return { verdict, exitCode, stderr, file, textOf: (name) => readFileSync(file(name), 'utf8') };
  };

  /** The same; again, at most twice, while this machine was so busy that the result says too little. */
  const measuredOnTime = async (options: Options, saysTooLittle = isOnlyLate): Promise<Measured> => {
    for (let again = 2; ; again--) {
      const result = await measured(options);
      if (again === 0 || !saysTooLittle(result.verdict)) return result;
    }
  };
  return { folder, at, measure, measured, measuredOnTime, ...servers(at) };
}

/** Ways to start servers. */
function servers(at: (name: string) => string) {
  const ends: (() => void)[] = [];
  afterAll(() => {
    for (const end of ends) end();
  });

  /** Starts a server's script, which listens at a free port of 127.0.0.1 and prints its number. */
  const serve = async (script: string, ...args: string[]) => {
    const path = at(`server-${ends.length}.mjs`);
    writeFileSync(path, script);
    const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    ends.push(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the server ended')));
    const [printed] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
    const port = printed.toString().trim();
    return { url: `http://127.0.0.1:${port}/`, port, pid: child.pid ?? 0 };
  };

  /**
   * Starts a server's script, which is told a port, a file for its process id once it listens, and `args`.
   * @returns `deploy` ends it, is without one for at least 300 ms, and starts the next, which outlives the command
   */
  const serveReplaceable = async (script: string, ...args: string[]) => {
    const free = createServer();
    const port = await listen(free);
    await new Promise((resolve) => free.close(resolve));
    const [path, pidFile] = [at(`server-${port}.mjs`), at(`${port}.pid`)];
    writeFileSync(path, script);
    const words = [path, String(port), pidFile, ...args];
    const child = spawn(process.execPath, words);
    ends.push(() => {
      child.kill('SIGKILL');
      try {
        process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
      } catch {
        // The test has ended it.
      }
    });
    const hasBegun = () => Number(readFileSync(pidFile, 'utf8')) > 0 || Promise.reject(new Error('no server'));
    await vi.waitFor(hasBegun, 10_000);
    const deploy =
      `old=$(cat ${pidFile}); kill $old; while kill -0 $old 2>/dev/null; do sleep 0.02; done; rm ${pidFile}\n` +
      `sleep 0.3; setsid ${process.execPath} ${words.join(' ')} >/dev/null 2>&1 &\n` +
      `while [ ! -s ${pidFile} ]; do sleep 0.02; done`;
    return { url: `http://127.0.0.1:${port}/`, deploy, pidFile };
  };
  return { serve, serveReplaceable };
}

/** Of these processes those that live; what has ended and was not asked for its status yet does not. */
export async function stillRunning(pids: readonly string[]): Promise<string[]> {
  const { stdout } = await execa('ps', ['-o', 'stat=', '-p', pids.join(',')], { reject: false });
  return stdout.split('\n').filter((state) => state !== '' && !state.startsWith('Z'));
}
