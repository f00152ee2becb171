/** A series: of each experiment the one run that speaks for it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { HarnessError } from '../../base/errors.ts';
import { readCatalog } from '../../experiment/catalog.ts';
import type { Experiment, ExperimentFile } from '../../experiment/experiment.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { runFiles } from '../../run/run-folder.ts';
import { readRun, type ReadRun } from '../../verdict/read-run.ts';
import { isConclusive } from '../../verdict/verdict.ts';

/** A run of a series, and where it lies. */
export interface SeriesRun extends ReadRun {
  readonly folder: string;
  /** Its settings are those of the experiment's file. */
  readonly asWritten: boolean;
  /** It can be trusted, and was made beside its controls. */
  readonly citable: boolean;
}

/** An experiment, with its run where there is one. */
export interface SeriesEntry {
  readonly file: ExperimentFile;
  readonly run: SeriesRun | null;
}

/**
 * Of each experiment the newest run that may be cited and was asked for as its file stands; else one that may be cited;
 * else one that came to a verdict; else the newest at all. Runs of variants speak for their variants alone.
 * @param folder holds `E5/<run>/`, or `E5/` with the run itself, as a packed series does
 */
export async function readSeries(folder: string): Promise<SeriesEntry[]> {
  const { experiments } = await readCatalog();
  return await Promise.all(
    experiments.map(async (file) => ({ file, run: await bestRun(join(folder, file.id), file) })),
  );
}

async function bestRun(folder: string, file: ExperimentFile): Promise<SeriesRun | null> {
  let best: SeriesRun | null = null;
  for (const path of await runFolders(folder)) {
    const run = await readIfRun(path, file);
    if (run === null) continue;
    if (worth(run) === mostWorth) return run;
    if (best === null || worth(run) > worth(best)) best = run;
  }
  return best;
}

const mostWorth = 7;

/** What may be cited always goes before what may not. */
function worth({ asWritten, citable, verdict }: SeriesRun): number {
  return (citable ? 4 : 0) + (isConclusive(verdict) ? 2 : 0) + (asWritten ? 1 : 0);
}

/** The newest first: run ids sort by their time. */
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
  let read: Awaited<ReturnType<typeof readRun>>;
  try {
    read = await readRun(path);
  } catch (error) {
    // Of another version, or without a verdict: it speaks for nothing.
    if (error instanceof HarnessError) return null;
    throw error;
  }
  const { run, verdict } = read;
  if (run.kind !== 'experiment' || run.experiment.id !== file.id || run.variant !== null) return null;
  return {
    ...read,
    asWritten: settingsText(run.experiment) === settingsText(resolveExperiment(file, {})),
    citable: isConclusive(verdict) && verdict.controls !== null,
  };
}

/** What ran, in one text; the schema has put the fields in order. */
function settingsText({ app, unit, sites, proxy, load, probe, deploy }: Experiment): string {
  return JSON.stringify([app, unit, sites, proxy, load, probe, deploy]);
}
