/** What lies in node_modules, held against the lock file, and a mark of it. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Names of the packages for this system that package-lock.json has and node_modules has not, or in another version.
 * @param {string} folder
 */
export function packagesLeftOut(folder) {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, entry]) => path !== '' && isForHere(entry) && versionAt(join(folder, path)) !== entry.version)
    .map(([path]) => path.replace(/^.*node_modules\//u, ''));
}

/** Is this package one for this system? npm leaves the others out, and what only they need. */
function isForHere({ os, cpu, libc, optional }) {
  if (optional === true && os === undefined && cpu === undefined) return false;
  return allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, libcOfHere());
}

function allows(list, value) {
  if (list === undefined || value === undefined) return true;
  const named = list.filter((one) => !one.startsWith('!'));
  return !list.includes(`!${value}`) && (named.length === 0 || named.includes(value));
}

/** As npm tells them apart; undefined where there is one only. */
function libcOfHere() {
  if (process.platform !== 'linux') return undefined;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function versionAt(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

/**
 * A hash of every file's path, size and right to run: it changes when something is taken away, cut, or added.
 * @param {readonly string[]} folders
 */
export function markOf(folders) {
  const hash = createHash('sha256');
  for (const folder of folders) if (existsSync(folder)) addTree(hash, folder, '');
  return hash.digest('hex');
}

function addTree(hash, folder, below) {
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    // Caches of tools lie here too, and the Node that npm puts first on the PATH is looked at each time.
    if (below === '' && name.startsWith('.') && name !== '.bin') continue;
    if (path === join('.bin', 'node')) continue;
    const stats = lstatSync(join(folder, path));
    if (stats.isDirectory()) addTree(hash, folder, path);
    else {
      const is = stats.isSymbolicLink() ? readlinkSync(join(folder, path)) : `${stats.size} ${stats.mode & 0o100}`;
      hash.update(`${path}\0${is}\0`);
    }
  }
}
