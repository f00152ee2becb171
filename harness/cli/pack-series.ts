/** `pack-series`: copies one run of each experiment without what can be made again: small enough to be committed. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exitCodes, HarnessError } from '../base/errors.ts';
import { openRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import type { Context } from './context.ts';
import { pathText } from './print/path.ts';
import { command } from './command.ts';
import { writeHashes } from './runs/working-copy.ts';
import { readSeries, type SeriesRun } from './runs/series.ts';
import type { Verdict } from '../verdict/record/verdict.ts';

/** Can be made again, as PNGs can: report.md shows the SVGs. */
const leftOut = new Set<string>([runFiles.joined, runFiles.page, runFiles.hashes]);

/**
 * Copies the runs into `to/E0/`, `to/E1/` and so on, where `verify` works as on any run. Packs only runs that may be cited
 * and that hold; throws before it writes anything when no run is there, or one cannot be packed.
 */
export const packSeries = command({
  name: 'pack-series',
  about: 'copy one run of each experiment without what can be made again, to be committed',
  takes: [
    ['<from>', 'the folder of the runs, such as reports'],
    ['<to>', 'the folder of the copies, such as reports/reference'],
  ],
  examples: ['npm run pack-series -- reports reports/reference'],
  run: async (context, from, to) => {
    const entries = await readSeries([resolve(from)]);
    const runs = entries.flatMap(({ run }) => run ?? []);
    if (runs.length === 0) throw refusal(`${from} holds no run of an experiment.`);
    const controls = controlsOf(runs.map(({ verdict }) => verdict));
    for (const run of runs) await refuseDoubtful(context, run, resolve(to));
    let bytes = 0;
    for (const { verdict, folder } of runs) {
      const target = join(resolve(to), verdict.experiment);
      bytes += await packRun(folder, target);
      context.stdout(`packed: ${pathText(target)}  ${verdict.citation}\n`);
    }
    bytes += await packControls(context, controls, { from: resolve(from), to: resolve(to) });
    const missing = entries.filter(({ run }) => run === null).map(({ file }) => file.id);
    if (missing.length > 0) context.stderr(`not packed, since they have no run: ${missing.join(', ')}\n`);
    context.stdout(
      `${runs.length} runs, ${(bytes / 1e6).toFixed(1)} MB; \`npm run index -- --series ${to}\` shows them\n`,
    );
    return exitCodes.pass;
  },
});

/** `E5 own-port`: a run may be a stranger's, and so are the names in it, which become names of folders. */
const controlName = /^E\d{1,3}(?: [a-z0-9][a-z0-9-]{0,99})?$/u;
const controlRunId = /^[\w-]{1,64}$/u;

/**
 * The controls of these runs, by their run ids; those that are themselves of the series are left out.
 * @throws {HarnessError} `run-not-citable` when one has a name that no control has
 */
export function controlsOf(verdicts: readonly Verdict[]): ReadonlyMap<string, string> {
  const packed = new Set(verdicts.map(({ runId }) => runId));
  const controls = new Map<string, string>();
  for (const { experiment, runId: of, controls: own } of verdicts) {
    for (const { name, runId } of own ?? []) {
      if (!controlName.test(name) || !controlRunId.test(runId)) {
        throw refusal(`${experiment}@${of} names a control that is none: ${JSON.stringify(`${name}@${runId}`)}.`);
      }
      if (!packed.has(runId)) controls.set(runId, name);
    }
  }
  return controls;
}

/**
 * Copies controls into `to/controls/`, without charts: whoever doubts a run finds what it was compared with.
 * @returns their bytes
 */
async function packControls(
  context: Context,
  controls: ReadonlyMap<string, string>,
  { from, to }: { from: string; to: string },
): Promise<number> {
  let bytes = 0;
  for (const [runId, name] of controls) {
    const folder = join(from, name.split(' ')[0] ?? name, runId);
    const target = join(to, 'controls', name.replace(' ', '-'));
    if (!existsSync(folder)) {
      context.stderr(`not packed, since it is not in ${from}: the control ${name}@${runId}\n`);
      continue;
    }
    await refuseTaken(target);
    bytes += await packRun(folder, target, (file) => !file.startsWith(`${runFiles.charts}/`));
    context.stdout(`packed: ${pathText(target)}, the control ${name}@${runId}\n`);
  }
  return bytes;
}

/**
 * Copies one run into `target`, which is replaced, without what can be made again; with hashes of what is left.
 * @returns its bytes
 */
export async function packRun(
  folder: string,
  target: string,
  isWanted: (file: string) => boolean = () => true,
): Promise<number> {
  const run = await openRun(folder);
  await rm(target, { recursive: true, force: true });
  await run.copyTo(target, (name) => !leftOut.has(name) && !name.endsWith('.png') && isWanted(name));
  await writeHashes(target);
  return (await openRun(target)).bytes();
}

async function refuseDoubtful(context: Context, run: SeriesRun, to: string): Promise<void> {
  const { verdict, folder, citable, asWritten } = run;
  const { experiment, runId } = verdict;
  const again = `run \`npm run experiment ${experiment}\` again`;
  if (!citable) throw refusal(`${experiment}@${runId} may not be cited (${verdict.verdict}): ${again}.`);
  if (!asWritten) throw refusal(`${experiment}@${runId} ran with other settings than its file has: ${again}.`);
  const target = join(to, experiment);
  await refuseTaken(target);
  if (target === folder) throw refusal(`${target} is where the run lies: name another folder to pack into.`);
  context.stderr(`verify ${experiment}@${runId}\n`);
  const { verification } = await import('./runs/verification.ts');
  const { wrong } = await verification(await openRun(folder));
  if (wrong[0] !== undefined) throw refusal(`${experiment}@${runId} does not hold: ${wrong[0]}`);
}

/** A folder that holds nothing but a run may be replaced. */
async function refuseTaken(target: string): Promise<void> {
  if (!existsSync(target)) return;
  await openRun(target).catch((error: unknown) => {
    throw refusal(`${target} is there and is no packed run: it is not replaced.`, error);
  });
}

function refusal(message: string, cause?: unknown): HarnessError {
  return new HarnessError('run-not-citable', message, { cause });
}
