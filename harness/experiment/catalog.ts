/** The experiments that exist: one data file each in experiments/, found by their names. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HarnessError } from '../base/errors.ts';
import { defineExperiment, type ExperimentData, type ExperimentFile } from './experiment.ts';
import { resolveExperiment } from './fields.ts';
import { importProblem } from './import-problem.ts';
import { shown } from './mistakes.ts';
import { didYouMean, nearest } from '../base/nearest.ts';

const ownFolder = fileURLToPath(new URL('../../experiments/', import.meta.url));
/** `E5-variants.variants.ts` is part of another file. */
const fileName = /^(E\d+)(-[^.]*)?\.ts$/iu;

/** The experiment that restarts nothing: the C0 of the others, and by itself its own. */
export const c0Id = 'E0';
/** The one without any mechanism: the C+ of those that have no variant with theirs off. */
export const bareId = 'E1';

/** A file that describes no experiment. */
export interface BrokenExperiment {
  /** The experiment that it would be, by its name. */
  readonly id: string;
  /** Names the file and what is wrong with it. */
  readonly error: HarnessError;
}

/** All files of the folder, in the order of their numbers. A broken one does not stop the others. */
export interface Catalog {
  readonly experiments: readonly ExperimentFile[];
  readonly broken: readonly BrokenExperiment[];
}

/** Reads all experiments. */
export async function readCatalog(folder = ownFolder): Promise<Catalog> {
  const names = (await readdir(folder)).filter((name) => fileName.test(name)).sort(byNumber);
  const read = await Promise.all(
    names.map((name) =>
      readFile(folder, name, names).catch(async (thrown: unknown): Promise<BrokenExperiment> => {
        return { id: idOf(name), error: await refusal(thrown, folder, name) };
      }),
    ),
  );
  return {
    experiments: read.flatMap((each) => ('error' in each ? [] : each)),
    broken: read.filter((each) => 'error' in each),
  };
}

/**
 * The experiment with this id, whatever its letter's case.
 * @throws {HarnessError} saying what is wrong with its file, or naming those that exist
 */
export async function loadExperiment(id: string, folder = ownFolder): Promise<ExperimentFile> {
  const { experiments, broken } = await readCatalog(folder);
  const found = experiments.find((experiment) => experiment.id === id.toUpperCase());
  if (found !== undefined) return found;
  const bad = broken.find((each) => each.id === id.toUpperCase());
  if (bad !== undefined) throw bad.error;
  const ids = experiments.map((experiment) => experiment.id);
  // The user may know it by its title.
  const byTitle = new Map(experiments.map(({ id: of, title }) => [title, `${of} (${title})`]));
  const meant = nearest(id.replace(/^E\d+-/iu, '').replaceAll('-', ' '), [...byTitle.keys()]);
  const suggestion = meant === undefined ? didYouMean(id, ids) : `Did you mean ${byTitle.get(meant) ?? meant}? `;
  throw new HarnessError('experiment-unknown', `There is no experiment ${JSON.stringify(id)}.`, {
    hint: `${suggestion}There are ${ids.join(', ')}; \`npm run experiment list\` tells what each asks.`,
  });
}

function idOf(name: string): string {
  return (fileName.exec(name)?.[1] ?? '').toUpperCase();
}

function byNumber(a: string, b: string): number {
  return Number(idOf(a).slice(1)) - Number(idOf(b).slice(1)) || (a < b ? -1 : 1);
}

/** What is wrong with a file, each line with its name. */
async function refusal(thrown: unknown, folder: string, name: string): Promise<HarnessError> {
  if (!(thrown instanceof HarnessError)) {
    return new HarnessError('experiment-invalid', await importProblem(thrown, folder, name), { cause: thrown });
  }
  const lines = thrown.message.split('\n').map((line) => `experiments/${name}: ${line}`);
  return new HarnessError('experiment-invalid', lines.join('\n'), { hint: thrown.hint, cause: thrown });
}

/** @throws {HarnessError} saying what is wrong with it, without its name */
async function readFile(folder: string, name: string, names: readonly string[]): Promise<ExperimentFile> {
  const ids = names.map(idOf);
  const twin = names.find((other) => other !== name && idOf(other) === idOf(name));
  if (twin !== undefined) throw invalid(`experiments/${twin} is ${idOf(name)} too: give one another number`);
  const module = (await import(pathToFileURL(join(folder, name)).href)) as { default?: unknown };
  const written = module.default;
  if (written === undefined) throw invalid('has no default export: write `export default defineExperiment({ … })`');
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    throw invalid(`its default export must be defineExperiment({ … }), not ${shown(written)}`);
  }
  // Checked again: a file may export an object that defineExperiment never saw.
  const file = defineExperiment(written as ExperimentData);
  if (file.id !== idOf(name) || !name.startsWith(file.id)) {
    throw invalid(`id: must be ${idOf(name)}, as in the file's name, not ${file.id}; the name must begin with it`);
  }
  if ('experiment' in file.control && !ids.includes(file.control.experiment)) {
    throw invalid(`control.experiment: there is no experiment ${file.control.experiment}; there are ${ids.join(', ')}`);
  }
  // A variant that cannot be run is a mistake in the file: said now, not when somebody asks for it.
  resolveExperiment(file, {});
  for (const variant of Object.keys(file.variants)) {
    try {
      resolveExperiment(file, { variant });
    } catch (cause) {
      if (!(cause instanceof HarnessError)) throw cause;
      throw new HarnessError(cause.code, `variants.${variant}: ${cause.message}`, { hint: cause.hint, cause });
    }
  }
  return file;
}

function invalid(what: string): HarnessError {
  return new HarnessError('experiment-invalid', what);
}
