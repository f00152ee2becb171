/** Files and commands that a message names, as the caller of the package has them. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';

/** A few words, and the two dashes that npm needs before options. */
const beforeOptions = '(?:((?: (?!--)[^\\s`]+){0,3}) --(?= ))?';
const file = /(?<![\w./-])(?:containers|docs|experiments|harness)\/[\w/.-]*\w/gu;

/**
 * `npm run query -- RUN` as `npx restart-proof query RUN`.
 * @param commands those that the package has; others need a checkout, and stay
 */
export function withCommands(text: string, commands: readonly string[]): string {
  const command = new RegExp(String.raw`\bnpm run (${commands.join('|')})(?![\w:-])${beforeOptions}`, 'gu');
  return text.replaceAll(command, (_, name: string, words = '') => `npx restart-proof ${name}${words}`);
}

/** `docs/ci.md`, and every other file of the project, with the folder that it lies in, seen from where the caller is. */
export function withPages(text: string, projectFolder: string, here = process.cwd()): string {
  const path = relative(here, projectFolder);
  const shown = path.startsWith('..') || isAbsolute(path) ? projectFolder : path;
  // Another project may have folders of these names, too.
  return text.replaceAll(file, (name) =>
    existsSync(join(projectFolder, name)) ? join(shown, name).split(sep).join('/') : name,
  );
}
