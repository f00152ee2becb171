/** Which state of this project ran: part of a run's fingerprint. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { isCheckout, projectFolder } from '../project.mjs';

/** What a run is made of. */
const rooms = ['app-under-test', 'containers', 'experiments', 'harness'];
const noPart = /\.test\.ts$|^experiments\/gate\.yaml$|(^|\/)node_modules\//u;

/** The commit, and whether files differ from it; of the package its version; `unknown` without git. */
export async function projectState(): Promise<string> {
  // Not asked of git: the package lies in another project, which may be a repository.
  if (!isCheckout) {
    const { version } = JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')) as { version: string };
    return `restart-proof ${version}`;
  }
  const git = (...args: string[]) => execa('git', args, { cwd: projectFolder, reject: false });
  const [commit, status] = await Promise.all([git('rev-parse', 'HEAD'), git('status', '--porcelain')]);
  if (commit.exitCode !== 0) return 'unknown';
  return `${commit.stdout.trim()}${status.stdout.trim() === '' ? '' : ', with changes'}`;
}

/**
 * The sha256 of all that a run is made of, names and content; it tells states apart that no commit or version has. A checkout
 * has the versions of all packages in its lock file, the package those of its own dependencies in package.json.
 */
export async function sourcesHash(): Promise<string> {
  const versions = isCheckout ? 'package-lock.json' : 'package.json';
  const hash = createHash('sha256').update(await readFile(join(projectFolder, versions)));
  for (const room of rooms) {
    const entries = await readdir(join(projectFolder, room), { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.map((each) => each.slice(projectFolder.length + 1)).sort()) {
      if (noPart.test(path)) continue;
      hash.update(`${path}\0`).update(await readFile(join(projectFolder, path)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
