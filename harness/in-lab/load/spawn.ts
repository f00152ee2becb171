/** The load generator as a process of its own on this machine, spoken to as the one in the lab is. */
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Conversation } from '../../base/conversation.ts';

/** Where the generator's own program lies. */
export const generatorPath = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Flags of its Node: a small young generation. Rows live shortly; the default takes 100 MiB more and is no faster. */
export const generatorFlags = ['--max-semi-space-size=4'];

/** What it finds in its environment beside ours: where this process keeps compiled code, which halves the start. */
export function generatorEnvironment(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

/** Starts the generator. It ends by itself when its input is closed. */
export function spawnGenerator(): Conversation & { readonly pid: number | undefined; kill(): void } {
  const child = execa(process.execPath, [...process.execArgv, ...generatorFlags, generatorPath], {
    env: generatorEnvironment(),
    reject: false,
    stdin: 'pipe',
    buffer: { stdout: false },
  });
  let errors = '';
  child.stderr.on('data', (part: Buffer) => (errors += part.toString('utf8')));
  // Whatever it dies of shows as an end of its lines.
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid,
    say: (line) => void child.stdin.write(`${line}\n`),
    lines: child.iterable(),
    close: () => void child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
    stderr: () => errors,
  };
}
