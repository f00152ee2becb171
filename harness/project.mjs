/**
 * Where the project lies, as a checkout or as the package in another project, and where it may write besides reports.
 * Plain JavaScript: setup.mjs needs it before anything is installed (its types: project.d.mts).
 */
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canMake } from './tool-environment.mjs';

export const projectFolder = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/u, '');

/** npm packs no lock file. */
export const isCheckout = existsSync(join(projectFolder, 'package-lock.json'));

export const npmFolder = isCheckout ? projectFolder : (process.env['npm_config_local_prefix'] ?? process.cwd());

/** @type {import('./project.d.mts').cacheFolder} */
export function cacheFolder() {
  if (isCheckout) return join(projectFolder, '.cache');
  const named = process.env['XDG_CACHE_HOME'] ?? '';
  const own = join(isAbsolute(named) ? named : join(homedir(), '.cache'), 'restart-proof');
  return canMake(own) ? own : join(tmpdir(), `restart-proof-cache-${process.getuid?.() ?? 0}`);
}
