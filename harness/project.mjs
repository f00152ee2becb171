/**
 * Where the project lies, as a checkout or as the package in another project, and where it may write besides reports.
 * Plain JavaScript: setup.mjs needs it before anything is installed.
 */
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canMake } from './tool-environment.mjs';

/** The folder of this checkout or package, without a slash at its end. */
export const projectFolder = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/u, '');

/** Is it a checkout? Else it is the package, which lies in another project's node_modules. npm packs no lock file. */
export const isCheckout = existsSync(join(projectFolder, 'package-lock.json'));

/** The folder whose .npmrc says where packages are from. */
export const npmFolder = isCheckout ? projectFolder : (process.env['npm_config_local_prefix'] ?? process.cwd());

/** Where downloads are kept: in a checkout its own .cache, else a folder of the user's that all their projects share. */
export function cacheFolder() {
  if (isCheckout) return join(projectFolder, '.cache');
  const named = process.env['XDG_CACHE_HOME'] ?? '';
  const own = join(isAbsolute(named) ? named : join(homedir(), '.cache'), 'restart-proof');
  return canMake(own) ? own : join(tmpdir(), `restart-proof-cache-${process.getuid?.() ?? 0}`);
}
