/** Pages and commands that a message names, as the caller has them. */
import { isAbsolute, join, relative, sep } from 'node:path';

/** Those that the package has, too; others need a checkout. */
const packageCommand = /\bnpm run (measure|init|query|report|verdict|verify|compare)(?: --)?(?![\w:-])/gu;
const page = /(?<![\w./-])docs\/(?=[a-z-]+\.md\b)/gu;

/** `npm run query -- RUN` as the caller types it. */
export function withCommands(text: string, callOf: (command: string) => string): string {
  return text.replaceAll(packageCommand, (_, command: string) => callOf(command));
}

/** `docs/ci.md` with the folder that it lies in, seen from where the caller is. */
export function withPages(text: string, projectFolder: string, here = process.cwd()): string {
  const folder = join(projectFolder, 'docs');
  const path = relative(here, folder);
  const shown = path.startsWith('..') || isAbsolute(path) ? folder : path;
  return text.replaceAll(page, () => `${shown.split(sep).join('/')}/`);
}
