/** Whether a Node starts on this machine, and why not, in words. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { nodeEnvironment } from './tool-environment.mjs';

/** The least major version under which the harness runs. */
export const leastMajor = 24;

/** Is this process's own Node new enough? */
export const ownIsEnough = Number(process.versions.node.split('.')[0]) >= leastMajor;

/**
 * @param {string} path
 * @returns {string | undefined} undefined when the Node at this path starts, else why it does not, in words for a sentence
 */
export function whyNotStarting(path) {
  const { status, signal, error, stderr } = spawnSync(path, ['--version'], {
    env: nodeEnvironment(),
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  const code = error?.code;
  if (code === 'ENOENT' && existsSync(path))
    return 'its loader is missing: it is built for glibc, and this system has another libc';
  if (code === 'EACCES') return 'the folder is mounted noexec, or the file may not be run';
  if (code === 'ENOEXEC' || code === 'EFTYPE') return 'it is not a program for this processor';
  if (error !== undefined) return code ?? error.message;
  const said = stderr.trim().split('\n')[0]?.replace(/\.$/u, '') ?? '';
  if (said !== '') return said.split(`${path}: `).join('');
  return signal === null ? `it ends with status ${status}` : `it ends by ${signal}`;
}
