/** A run's files made again: in a copy of our own, from which only what differs goes back, with their hashes. */
import { constants } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HarnessError } from '../../base/errors.ts';
import { scratchFolder } from '../../base/scratch-folder.ts';
import { sha256OfFile } from '../../run/file-hash.ts';
import { openRun, type OpenRun } from '../../run/run-door.ts';
import { runFiles, unfinished } from '../../run/run-folder.ts';
import { mayWrite } from './out-folder.ts';

/**
 * Works on a copy of the run, which is removed in any case: nothing changes it meanwhile, and nothing is written into the
 * run itself. Errors name the run by the user's path.
 */
export async function onCopy<T>(run: OpenRun, work: (copy: string) => Promise<T>): Promise<T> {
  const scratch = await scratchFolder('run');
  const copy = join(scratch, 'run');
  try {
    await run.copyTo(copy);
    return await work(copy);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    const message = error.message.replaceAll(copy, run.path);
    throw new HarnessError(error.code, message, { hint: error.hint.replaceAll(copy, run.path), cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Why nothing is written into a run's folder; null where it may be. */
export async function whyReadOnly(run: OpenRun): Promise<string | null> {
  // A packed run has hashes, and lacks what can be made again.
  if (run.has(runFiles.hashes) && !run.has(runFiles.joined) && run.record.kind === 'experiment')
    return 'is a packed run';
  return (await mayWrite(run.path)) ? null : 'cannot be written';
}

/** Puts the files that differ in the copy into the run's folder, removes those that the copy no longer has. */
export async function bringBack(run: OpenRun, copy: string): Promise<void> {
  const made = await openRun(copy);
  let changes = 0;
  for (const name of made.names()) {
    const [from, to] = [join(copy, name), join(run.path, name)];
    if (run.has(name) && (await sha256OfFile(from)) === (await sha256OfFile(to))) continue;
    await putFile(from, to);
    changes++;
  }
  // Raw rows that were packed meanwhile.
  for (const name of run.names().filter((known) => !made.has(known))) await rm(join(run.path, name));
  if (changes > 0 || !run.has(runFiles.hashes)) await writeHashes(run.path);
}

/** Copies report.md, report.html and the charts of the copy into another folder. */
export async function copyReport(copy: string, out: string): Promise<void> {
  const isReport = (name: string): boolean =>
    name === runFiles.report || name === runFiles.page || name.startsWith(`${runFiles.charts}/`);
  for (const name of (await openRun(copy)).names().filter(isReport)) await putFile(join(copy, name), join(out, name));
}

/** Whole or not at all; never through a link, nor into a file that has a second name. */
async function putFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const next = `${to}${unfinished}`;
  await rm(next, { force: true });
  try {
    await copyFile(from, next, constants.COPYFILE_EXCL);
    await rename(next, to);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

/** The sha256 of every file of the run but hashes.json, by the file's name. */
export async function hashesOf(run: OpenRun): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of run.names()) {
    if (name !== runFiles.hashes) hashes[name] = await sha256OfFile(join(run.path, name));
  }
  return hashes;
}

/** Writes hashes.json: the last file of a run. */
export async function writeHashes(folder: string): Promise<void> {
  const run = await openRun(folder);
  const path = join(run.path, runFiles.hashes);
  const text = `${JSON.stringify(await hashesOf(run), null, 2)}\n`;
  // Never through a link, nor into a file that has a second name.
  await rm(path, { force: true });
  await writeFile(path, text, { flag: 'wx' });
}
