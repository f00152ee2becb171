/** How paths are printed. */
import { isAbsolute, relative, sep } from 'node:path';

/**
 * A path as its reader would write it: absolute where they named a folder above it so, or where it lies elsewhere; else
 * from the folder that they are in.
 * @param words the words of the command line
 */
export function pathText(path: string, words: readonly string[] = process.argv.slice(2)): string {
  const isNamed = words.some((word) => {
    const named = word.replace(/^--[a-z-]+=/u, '');
    return isAbsolute(named) && (path === named || path.startsWith(named.endsWith(sep) ? named : `${named}${sep}`));
  });
  const shorter = relative(process.cwd(), path) || '.';
  return isNamed || shorter === '..' || shorter.startsWith(`..${sep}`) ? path : shorter;
}
