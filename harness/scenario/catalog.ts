/** The experiments that exist: one data file each in experiments/, found by their names. */
import { readdir } from 'node:fs/promises';
import { z } from 'zod';
import { HarnessError } from '../errors.ts';
import { experimentFileSchema, type ExperimentFile } from './experiment.ts';
import { resolveExperiment } from './fields.ts';
import { didYouMean, nearest } from './nearest.ts';

const folder = new URL('../../experiments/', import.meta.url);
const fileName = /^(E\d+)-[^.]*\.ts$/u;

/** All experiments, in the order of their numbers. */
export async function loadCatalog(): Promise<ExperimentFile[]> {
  const names = (await readdir(folder)).filter((name) => fileName.test(name));
  const experiments = await Promise.all(names.map(loadFile));
  return experiments.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}

/**
 * The experiment with this id, whatever its letter's case.
 * @throws {HarnessError} naming those that exist
 */
export async function loadExperiment(id: string): Promise<ExperimentFile> {
  const catalog = await loadCatalog();
  const found = catalog.find((experiment) => experiment.id === id.toUpperCase());
  if (found !== undefined) return found;
  const ids = catalog.map((experiment) => experiment.id);
  // Somebody may know it by its title.
  const byTitle = new Map(catalog.map((experiment) => [experiment.title, `${experiment.id} (${experiment.title})`]));
  const meant = nearest(id.replace(/^E\d+-/iu, '').replaceAll('-', ' '), [...byTitle.keys()]);
  const suggestion = meant === undefined ? didYouMean(id, ids) : `Did you mean ${byTitle.get(meant) ?? meant}? `;
  throw new HarnessError('experiment-unknown', `There is no experiment ${JSON.stringify(id)}.`, {
    hint: `${suggestion}There are ${ids.join(', ')}; \`npm run experiment list\` tells what each asks.`,
  });
}

async function loadFile(name: string): Promise<ExperimentFile> {
  const module = (await import(new URL(name, folder).href)) as { default?: unknown };
  const checked = experimentFileSchema.safeParse(module.default);
  if (!checked.success) {
    throw new HarnessError(
      'experiment-invalid',
      `experiments/${name} is no experiment:\n${z.prettifyError(checked.error)}`,
      {
        cause: checked.error,
      },
    );
  }
  const id = fileName.exec(name)?.[1];
  if (checked.data.id !== id) {
    throw new HarnessError(
      'experiment-invalid',
      `experiments/${name} calls itself ${checked.data.id}: file name and id must agree.`,
    );
  }
  const { control, variants } = checked.data;
  if ('variant' in control && variants[control.variant] === undefined) {
    throw new HarnessError(
      'experiment-invalid',
      `experiments/${name} names a control that is none of its variants: ${control.variant}.`,
    );
  }
  // A variant that cannot be run is a mistake in the file: said now, not when somebody asks for it.
  for (const variant of [undefined, ...Object.keys(variants)]) resolveExperiment(checked.data, { variant });
  return checked.data;
}
