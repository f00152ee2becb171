/** An npm package and all that it needs, as files for a container. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { filesUnder, type LabFile } from './files.ts';
import { projectFolder } from '../../project.mjs';

/**
 * The files of `name` and its dependencies as npm installed them for this project, under `target` in the container.
 * @throws {Error} when a dependency is not installed
 */
export async function packageFiles(name: string, target: string): Promise<LabFile[]> {
  const folders = new Set<string>();
  const visit = (wanted: string, from: string): void => {
    const folder = folderOf(wanted, from);
    if (folders.has(folder)) return;
    folders.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) visit(dependency, folder);
  };
  visit(name, projectFolder);
  const root = dirname(dirname(folderOf(name, projectFolder)));
  // In another project a dependency may lie above the package: in the container it lies beside it.
  const placeOf = (folder: string): string =>
    folder.startsWith(root + sep)
      ? folder.slice(root.length + 1)
      : folder.slice(folder.lastIndexOf(`${sep}node_modules${sep}`) + 1);
  const files = await Promise.all(
    [...folders].map((folder) => {
      const relative = placeOf(folder).split(sep).join('/');
      const isCode = (path: string): boolean => !/(^|\/)node_modules\//u.test(path) && /\.(c?js|mjs|json)$/u.test(path);
      return filesUnder(folder, posix.join(target, relative), isCode);
    }),
  );
  return files.flat();
}

/** Where Node would find the package: in the node_modules of this folder, or of one above it. */
function folderOf(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(at) === at) break;
  }
  throw new Error(`the package ${name} is not installed`);
}
