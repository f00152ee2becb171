/** An npm package and all that it needs, as files for a container. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { filesUnder, type LabFile } from './files.ts';
import { projectFolder } from '../project-state.ts';

/**
 * The files of `name` and its dependencies as they lie in this project's node_modules, under `target` in the container.
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
  const files = await Promise.all(
    [...folders].map((folder) => {
      const relative = folder
        .slice(projectFolder.length + 1)
        .split('\\')
        .join('/');
      const isCode = (path: string): boolean => !/(^|\/)node_modules\//u.test(path) && /\.(c?js|mjs|json)$/u.test(path);
      return filesUnder(folder, posix.join(target, relative), isCode);
    }),
  );
  return files.flat();
}

/** Where Node would find the package: in the node_modules of this folder, or of one above it. */
function folderOf(name: string, from: string): string {
  for (let at = from; at.startsWith(projectFolder); at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  throw new Error(`the package ${name} is not installed`);
}
