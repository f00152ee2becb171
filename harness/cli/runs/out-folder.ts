/** Where a command writes: checked before anything starts, and the folder of a table made from several runs. */
import { constants, existsSync } from 'node:fs';
import { access, lstat, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { optionError } from '../options/option-values.ts';
import { newRunId, pointLatest } from '../../run/run-folder.ts';

/** The least room that a run takes, by far. */
const leastBytes = 1024 * 1024;

/** The codes of a failed write, in words about the folder. */
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
 * Tries to write into the folder, or into the nearest one above it that exists; leaves nothing there.
 * @throws {HarnessError} naming the folder
 */
export async function requireWritable(folder: string): Promise<void> {
  const there = nearestAbove(resolve(folder));
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
    // If the write failed, there is nothing to remove.
    await rm(trial, { force: true }).catch(() => undefined);
  }
  await refuseTakenLatest(resolve(folder));
}

/**
 * Runs put a link called `latest` beside themselves, and replace nothing else of that name.
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

/**
 * A folder of that name, or a file in place of its folder, would be found out after the run.
 * @throws {HarnessError} naming the option
 */
export async function requireWritableFile(option: string, path: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (path === '' || there?.isDirectory() === true) {
    throw optionError(`${option} takes a file, and ${JSON.stringify(path)} is a folder.`);
  }
  const folder = nearestAbove(dirname(resolve(path)));
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory() === true && (await mayWrite(folder))) return;
  throw optionError(`${option} ${path} cannot be written: ${folder} is no folder that you may write to.`);
}

/** The path itself, or the nearest one above it that exists. */
function nearestAbove(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestAbove(dirname(path));
}

/** May this user write to it? */
export async function mayWrite(path: string): Promise<boolean> {
  return await access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Files by their names in a folder; null is left out. */
type Files = Readonly<Record<string, string | Uint8Array | null>>;

/** Writes the files into the folder, which is made. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    if (content === null) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/**
 * Writes the files into `parent/<id>/`, and points `parent/latest` there.
 * @returns the folder
 */
export async function writeSeriesFolder(parent: string, files: Files, id = newRunId(new Date())): Promise<string> {
  const folder = join(parent, id);
  await writeFiles(folder, files);
  await pointLatest(parent, id);
  return folder;
}

/** Data as a file holds it. */
export function jsonFile(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
