/** A series: of each experiment the one run that speaks for it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { HarnessError } from '../../base/errors.ts';
import { readCatalog } from '../../experiment/catalog.ts';
import type { Experiment, ExperimentFile } from '../../experiment/experiment.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { runFiles } from '../../run/run-folder.ts';
import { readRun, type ReadRun } from '../../verdict/record/read-run.ts';
import { isConclusive } from '../../verdict/record/verdict.ts';

/** A run of a series, and where it lies. */
export interface SeriesRun extends ReadRun {
  readonly folder: string;
  /** Its settings are those of the experiment's file. */
  readonly asWritten: boolean;
  /** It can be trusted, and was made beside its controls. */
  readonly citable: boolean;
}

/** An experiment, with its run where there is one. */
export type SeriesEntry = Awaited<ReturnType<typeof readSeries>>[number];

/**
 * Of each experiment the newest run that may be cited and was run as its file has it; else one that may be cited; else one
 * that came to a verdict; else the newest. Runs of variants speak for their variants alone.
 * @param folders hold `E5/<run>/`, or `E5/` with the run itself, as a packed series does
 */
export async function readSeries(folders: readonly string[]) {
  const { experiments } = await readCatalog();
  return await Promise.all(
    experiments.map(async (file) => {
      const best = await Promise.all(folders.map((folder) => bestRun(join(folder, file.id), file)));
      const [run = null] = best.filter((each) => each !== null).sort(byWorth);
      return { file, run };
    }),
  );
}

async function bestRun(folder: string, file: ExperimentFile): Promise<SeriesRun | null> {
  const runs: SeriesRun[] = [];
  for (const path of await runFolders(folder)) {
    const run = await readIfRun(path, file);
    // Reading all runs of a year takes long, and none can be worth more.
    if (run !== null && worth(run) === mostWorth) return run;
    if (run !== null) runs.push(run);
  }
  return runs.sort(byWorth)[0] ?? null;
}

const mostWorth = 7;

/** A run that may be cited always goes before one that may not. */
function worth({ asWritten, citable, verdict }: SeriesRun): number {
  return (citable ? 4 : 0) + (isConclusive(verdict) ? 2 : 0) + (asWritten ? 1 : 0);
}

/** Most worth first, then the newest: run ids sort by their time. */
function byWorth(a: SeriesRun, b: SeriesRun): number {
  return worth(b) - worth(a) || (a.verdict.runId < b.verdict.runId ? 1 : -1);
}

/** The newest first. */
async function runFolders(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  if (existsSync(join(folder, runFiles.run))) return [folder];
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return names
    .map(({ name }) => join(folder, name))
    .filter((path) => existsSync(join(path, runFiles.verdict)))
    .sort()
    .reverse();
}

async function readIfRun(path: string, file: ExperimentFile): Promise<SeriesRun | null> {
  const read = await readRun(path).catch((error: unknown) => {
    // Another version made it, or it has no verdict.
    if (error instanceof HarnessError) return null;
    throw error;
  });
  if (read === null) return null;
  const { run, verdict } = read;
  if (run.kind !== 'experiment' || run.experiment.id !== file.id || run.variant !== null) return null;
  return {
    ...read,
    asWritten: settingsText(run.experiment) === settingsText(resolveExperiment(file, {})),
    citable: isConclusive(verdict) && verdict.controls !== null,
  };
}

/** What ran, as one text; the schema has put the fields in order. */
function settingsText({ app, unit, sites, proxy, load, probe, deploy, service }: Experiment): string {
  return JSON.stringify([app, unit, sites, proxy, load, probe, deploy, service]);
}
