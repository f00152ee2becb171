/** What is asked of one run of an experiment, and the command that asks the same again. */
import type { Experiment, ExperimentFile, FieldValue } from '../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../experiment/fields.ts';
import { isCheckout } from '../project.mjs';
import type { PlanMixEntry } from '../in-lab/load/plan.ts';
import type { OwnService } from '../experiment/own-service.ts';
import type { OwnServiceFiles } from '../lab/own-service/files.ts';

interface RunningConditions {
  readonly seed: number;
  /** Folder that gets `E5/<run id>/`. */
  readonly reportsFolder: string;
  /** Leave the lab standing. */
  readonly keep: boolean;
  /** Before and after the load, have autocannon tell what the site can do. */
  readonly capacity: boolean;
  /** Beside its controls, which run first unless their results are kept. */
  readonly withControls: boolean;
}

/** A service of the user's own, as its service.yaml describes it. */
export interface OwnApp extends OwnServiceFiles {
  /** As a run records it: nothing secret in it. */
  readonly shown: OwnService;
  /** Hides its secrets in what is written down: an error's words, a unit. */
  readonly hide: (text: string) => string;
  /** The file, as it was typed. */
  readonly path: string;
  /** Its requests as they are sent, with their secrets. */
  readonly mix: readonly PlanMixEntry[];
}

interface Choice {
  readonly file: ExperimentFile;
  /** The service that takes the place of the demo site; null: none. */
  readonly own: OwnApp | null;
  readonly variant: string | null;
  readonly changes: readonly Change[];
}

/** One run. */
export interface RunRequest extends RunningConditions, Choice {
  /** With variant and changes applied. */
  readonly experiment: Experiment;
  readonly variantAbout: string | null;
  readonly command: string;
  /** Which of several runs this is, such as `trial 2 of 5`; shown while it goes on. */
  readonly place?: string | undefined;
}

/**
 * The request for a run.
 * @throws {HarnessError} when the experiment has no such variant, or cannot take a change
 */
export function requestOf(asked: RunningConditions & Choice & Pick<RunRequest, 'place'>): RunRequest {
  const { file, variant, changes, seed, own } = asked;
  return {
    ...asked,
    experiment: resolveExperiment(file, { variant: variant ?? undefined, changes, service: own?.shown }),
    variantAbout: variant === null ? null : (file.variants[variant]?.about ?? null),
    command: repeatCommand({ id: file.id, variant, changes, app: own?.path }, seed),
  };
}

/** The experiment as it is conducted: with the secrets of the user's own service. */
export function usedExperiment({ experiment, own }: Pick<RunRequest, 'experiment' | 'own'>): Experiment {
  const { service } = experiment;
  if (own === null || service === undefined) return experiment;
  return { ...experiment, service: { ...own.service, unitChanges: service.unitChanges } };
}

/** `E5`, or `E5 slow-start`. */
export function nameOfRun({ file, variant }: Pick<Choice, 'file' | 'variant'>): string {
  return `${file.id}${variant === null ? '' : ` ${variant}`}`;
}

/** What tells an experiment's runs apart. */
interface Repeatable {
  readonly id: string;
  readonly variant: string | null;
  readonly changes: readonly (readonly [string, FieldValue])[];
  readonly app?: string | undefined;
}

/** The command that makes the same run again. */
export function repeatCommand({ id, variant, changes, app }: Repeatable, seed: number): string {
  const words = [isCheckout ? `npm run experiment ${id} --` : `npx restart-proof experiment ${id}`, `--seed ${seed}`];
  if (app !== undefined) words.push(`--app ${quoted(app)}`);
  if (variant !== null) words.push(`--variant ${variant}`);
  for (const [path, value] of changes) words.push(`--set ${quoted(`${path}=${String(value)}`)}`);
  return words.join(' ');
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w.,:/=+-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
