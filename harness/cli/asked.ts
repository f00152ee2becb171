/** What the command line asks of an experiment, and the command that asks the same again. */
import type { Experiment, ExperimentFile } from '../experiment/experiment.ts';
import type { Change } from '../experiment/fields.ts';
import type { RunOptions } from './run-experiment.ts';

/** An experiment as the command line asks for it. */
export interface Asked {
  readonly file: ExperimentFile;
  readonly experiment: Experiment;
  readonly variant: string | null;
  readonly changes: readonly Change[];
  readonly seed: number;
  readonly reportsFolder: string;
  readonly keep: boolean;
  /** Beside its controls, run first unless they are remembered. */
  readonly withControls: boolean;
  readonly baseline: boolean;
}

/** What one run of it is asked for. */
export function runOptionsOf(asked: Asked): RunOptions & { readonly withControls: boolean } {
  const { file, experiment, variant, changes, seed, reportsFolder, keep, withControls, baseline } = asked;
  return {
    seed,
    reportsFolder,
    keep,
    withControls,
    controls: null,
    baseline,
    variant,
    variantAbout: variant === null ? null : (file.variants[variant]?.about ?? null),
    changes,
    command: repeatCommand({ id: experiment.id, variant, changes }, seed),
  };
}

/** The command that makes the same run again. */
export function repeatCommand(
  { id, variant, changes }: { id: string; variant: string | null; changes: readonly Change[] },
  seed: number,
): string {
  const words = [`npm run experiment ${id} -- --seed ${seed}`];
  if (variant !== null) words.push(`--variant ${variant}`);
  for (const [path, value] of changes) words.push(`--set ${quoted(`${path}=${String(value)}`)}`);
  return words.join(' ');
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w.,:/=+-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
