/** Which state of this project ran: part of a run's fingerprint. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** The folder of this checkout or package, without a slash at its end. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/u, '');
/** What a run is made of. */
const rooms = ['app-under-test', 'containers', 'experiments', 'harness'];
/** What is no part of a run: tests, what a gate allows, and packages, whose versions the lock file has. */
const noPart = /\.test\.ts$|^experiments\/gate\.yaml$|(^|\/)node_modules\//u;

/** The commit, and whether files differ from it; `unknown` outside a checkout. */
export async function projectState(): Promise<string> {
  const git = (...args: string[]) => execa('git', args, { cwd: projectFolder, reject: false });
  const [commit, status] = await Promise.all([git('rev-parse', 'HEAD'), git('status', '--porcelain')]);
  if (commit.exitCode !== 0) return 'unknown';
  return `${commit.stdout.trim()}${status.stdout.trim() === '' ? '' : ', with changes'}`;
}

/** The sha256 of all that a run is made of, names and content; it tells states apart that no commit has. */
export async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(projectFolder, 'package-lock.json')));
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
