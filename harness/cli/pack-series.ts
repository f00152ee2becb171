/** `pack-series`: of each experiment one run, without what can be made again, small enough to be committed. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Context } from './context.ts';
import { writeHashes } from './runs/hashes.ts';
import { doubtsAbout } from './runs/verification.ts';
import { readSeries, type SeriesRun } from './runs/series.ts';

/** The rows that were not plainly answered, and the page, can be made again; so can PNGs, and report.md shows the SVGs. */
const leftOut = new Set<string>([runFiles.joined, runFiles.page, runFiles.hashes]);

/**
 * Copies the runs into `to/E0/`, `to/E1/` and so on. Only runs that may be cited and whose lines hold are packed; of each
 * copy `verify` says whether it holds as of any run.
 * @throws {HarnessError} when there is none, or one cannot be packed; then nothing was written
 */
export async function packSeriesCommand(context: Context, from: string, to: string): Promise<number> {
  const entries = await readSeries(resolve(from));
  const runs = entries.flatMap(({ run }) => run ?? []);
  if (runs.length === 0) throw refusal(`${from} holds no run of an experiment.`);
  for (const run of runs) await refuseDoubtful(context, run, resolve(to));
  let bytes = 0;
  for (const { verdict, folder } of runs) {
    const target = join(resolve(to), verdict.experiment);
    await packRun(folder, target);
    bytes += (await openRun(target)).bytes();
    context.stdout(`packed: ${relative(process.cwd(), target)}  ${verdict.citation}\n`);
  }
  const missing = entries.filter(({ run }) => run === null).map(({ file }) => file.id);
  if (missing.length > 0) context.stderr(`not packed, for they have no run: ${missing.join(', ')}\n`);
  context.stdout(
    `${runs.length} runs, ${(bytes / 1e6).toFixed(1)} MB; \`npm run index -- --series ${to}\` shows them\n`,
  );
  return exitCodes.pass;
}

/** Copies one run into `target`, which is replaced, without what can be made again; with hashes of what is left. */
export async function packRun(folder: string, target: string): Promise<void> {
  const run = await openRun(folder);
  await rm(target, { recursive: true, force: true });
  await run.copyTo(target, (name) => !leftOut.has(name) && !name.endsWith('.png'));
  await writeHashes(target);
}

async function refuseDoubtful(
  context: Context,
  { verdict, folder, citable, asWritten }: SeriesRun,
  to: string,
): Promise<void> {
  const { experiment, runId } = verdict;
  const again = `run \`npm run experiment ${experiment}\` again`;
  if (!citable) throw refusal(`${experiment}@${runId} may not be cited (${verdict.verdict}): ${again}.`);
  if (!asWritten) throw refusal(`${experiment}@${runId} ran with other settings than its file has: ${again}.`);
  const target = join(to, experiment);
  // What holds nothing but a run may be replaced by one.
  if (existsSync(target)) {
    await openRun(target).catch((error: unknown) => {
      throw refusal(`${target} is there and is no packed run: it is not replaced.`, error);
    });
  }
  if (target === folder) throw refusal(`${target} is where the run lies: name another folder to pack into.`);
  context.stderr(`verify ${experiment}@${runId}\n`);
  const { doubts, unsure } = await doubtsAbout(await openRun(folder));
  const doubt = doubts[0] ?? unsure;
  if (doubt !== null) throw refusal(`${experiment}@${runId} does not hold: ${doubt}`);
}

function refusal(message: string, cause?: unknown): HarnessError {
  return new HarnessError('run-not-citable', message, { cause });
}
