/** Whether a run could be written, asked before anything is started. */
import { existsSync } from 'node:fs';
import { lstat, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HarnessError, messageOf } from '../../base/errors.ts';

/** What a run takes at least, by far. */
const leastBytes = 1024 * 1024;

/** What the codes of a failed write say of a folder. */
const whys: Record<string, string> = {
  ENOTDIR: 'is a file',
  EACCES: 'is not yours to write to',
  EPERM: 'is not yours to write to',
  EROFS: 'is read-only',
  ENOENT: 'takes no new files',
  ENOSPC: 'is on a full disk',
  EDQUOT: 'has no room left for you',
};

/**
 * Tries to write into the folder, or where it does not exist yet into the one that will hold it; leaves nothing there.
 * @throws {HarnessError} naming the folder
 */
export async function requireWritable(folder: string): Promise<void> {
  let there = resolve(folder);
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const trial = join(there, `.restart-proof-${process.pid}-${Date.now()}`);
  try {
    await writeFile(trial, Buffer.alloc(leastBytes), { flag: 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = whys[code ?? ''] ?? messageOf(cause);
    throw new HarnessError('out-not-writable', `Runs cannot be written to ${resolve(folder)}: ${there} ${why}.`, {
      cause,
    });
  } finally {
    // Of a file that is none there is nothing to take away either.
    await rm(trial, { force: true }).catch(() => undefined);
  }
  await refuseTakenLatest(resolve(folder));
}

/**
 * Runs put a link called `latest` beside themselves; what else is there under that name is not ours to replace.
 * @throws {HarnessError} naming it
 */
async function refuseTakenLatest(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of ['.', ...names]) {
    const path = join(folder, name, 'latest');
    const found = await lstat(path).catch(() => null);
    if (found === null || found.isSymbolicLink()) continue;
    throw new HarnessError('option-value', `${path} is there and is no link to a run, so it is not replaced.`, {
      hint: 'Move it away, or name another folder with --out.',
    });
  }
}
