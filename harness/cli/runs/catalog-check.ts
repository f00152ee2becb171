/** Is a run's experiment the one that its command asks for, or has somebody loosened what is expected of it? */
import { HarnessError } from '../../base/errors.ts';
import { loadExperiment } from '../../experiment/catalog.ts';
import { differences, flatFields } from '../../experiment/differences.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { sourcesHash } from '../../lab/project-state.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { repeatCommand } from '../../conduct/run-request.ts';

/** A run's experiment against experiments/. */
export interface CatalogCheck {
  /** What differs, a sentence each. */
  readonly wrong: readonly string[];
  /** The state of the project that made the run, where it is another: nothing was compared then. */
  readonly otherState: { readonly commit: string; readonly sources: string } | null;
}

/**
 * Resolves the experiment again from experiments/, with the run's variant and changes. Only the state of the project that
 * made the run can tell: another one may have another experiment of that name.
 */
export async function compareWithCatalog(run: RunRecord): Promise<CatalogCheck> {
  if (run.kind !== 'experiment') return { wrong: [], otherState: null };
  const { sources = 'unknown', project = 'unknown' } = run.fingerprint;
  if (sources !== (await sourcesHash())) return { wrong: [], otherState: { commit: project, sources } };
  const { experiment, variant, changes, seed, command } = run;
  const wrong: string[] = [];
  try {
    const asked = resolveExperiment(await loadExperiment(experiment.id), { variant: variant ?? undefined, changes });
    const fields = differences(flatFields(asked), flatFields(experiment)).map(
      ({ name, a, b }) => `${name} (asked for: ${a ?? 'none'}; run.json: ${b ?? 'none'})`,
    );
    if (fields.length > 0) wrong.push(`The experiment is not the one that was asked for: ${fields.join(', ')}.`);
    const again = repeatCommand({ id: experiment.id, variant, changes }, seed);
    if (again !== command) wrong.push(`The command that repeats the run is ${again}, but run.json has ${command}.`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    wrong.push(`The experiment cannot be asked for: ${error.message}`);
  }
  return { wrong, otherState: null };
}
