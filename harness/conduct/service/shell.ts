/** Which program runs the user's command: a shell that ends where a line of its script fails. */
import { basename } from 'node:path';
import { execa } from 'execa';

/** How the command is started. */
export interface Shell {
  /** The program and its words before the script. */
  readonly words: readonly string[];
  /** Does it take the script as a word? Otherwise as a file. */
  readonly takesText: boolean;
  /** A failure on the left side of a pipe ends the script. */
  readonly seesPipes: boolean;
}

const errorFlags = [
  // A failure within `$( )` ends it too; from bash 4.4 on.
  { flags: ['-O', 'inherit_errexit', '-eo', 'pipefail'], seesPipes: true },
  { flags: ['-eo', 'pipefail'], seesPipes: true },
  { flags: ['-e'], seesPipes: false },
] as const;

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh']);

/**
 * The shell for this script: bash where it exists, else sh, with the flags that make it end at the first failure. A script
 * that begins with `#!` is run by what it names; a shell that is named so gets these flags too.
 */
export async function shellFor(script: string): Promise<Shell> {
  const named = interpreterOf(script);
  if (named === null) {
    for (const program of ['bash', 'sh']) {
      const found = await withErrorFlags([program]);
      if (found !== null) return found;
    }
    return { words: ['sh', '-e'], takesText: true, seesPipes: false };
  }
  const program = named.find((word) => basename(word) !== 'env') ?? '';
  if (!shells.has(basename(program))) return { words: named, takesText: false, seesPipes: true };
  return (await withErrorFlags(named)) ?? { words: named, takesText: false, seesPipes: false };
}

async function withErrorFlags(words: readonly string[]): Promise<Shell | null> {
  for (const { flags, seesPipes } of errorFlags) {
    const [program = '', ...args] = [...words, ...flags];
    const { failed } = await execa(program, [...args, '-c', ':'], { reject: false, timeout: 5_000 });
    if (!failed) return { words: [...words, ...flags], takesText: true, seesPipes };
  }
  return null;
}

/** The words of the `#!` line; null without one. */
function interpreterOf(script: string): string[] | null {
  const line = /^#![\t ]*([^\n]+)/u.exec(script)?.[1];
  if (line === undefined) return null;
  return line
    .trim()
    .split(/[\t ]+/u)
    .filter((word, index, all) => !(word === '-S' && index > 0 && basename(all[0] ?? '') === 'env'));
}

/** Why a script cannot be run; null when it can. */
export function scriptProblem(script: string): string | null {
  const lines = script.split('\n').map((line) => line.trim());
  if (lines.every((line) => line === '' || line.startsWith('#'))) {
    return 'has no command: it is empty, or only a comment';
  }
  return script.includes('\0') ? 'holds a NUL byte, which no command can' : null;
}
