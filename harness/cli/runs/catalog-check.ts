/** Is a run's experiment the one that its command asks for, or has somebody loosened what is expected of it? */
import { HarnessError } from '../../base/errors.ts';
import { sourcesHash } from '../../lab/project-state.ts';
import { loadExperiment } from '../../experiment/catalog.ts';
import { differences, flatFields } from '../../experiment/differences.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { repeatCommand } from '../../conduct/run-request.ts';

/** What the files of a run cannot tell of themselves. */
export interface AsAsked {
  /** What differs from what was asked, each a sentence. */
  readonly doubts: readonly string[];
  /** Why nothing could be compared; null where it was. */
  readonly left: string | null;
}

/**
 * Resolves the experiment again from experiments/, as variant and changes of the run ask for it. Only the state of the
 * project that made the run can tell: another one may have another experiment of that name.
 */
export async function heldAgainstCatalog(run: RunRecord): Promise<AsAsked> {
  if (run.kind !== 'experiment') return { doubts: [], left: null };
  if (run.fingerprint['sources'] !== (await sourcesHash())) {
    const left =
      `the run was made by another state of the project (sources ${run.fingerprint['sources'] ?? 'unknown'}, ` +
      `commit ${run.fingerprint['project'] ?? 'unknown'}), so its experiment was not held against experiments/`;
    return { doubts: [], left };
  }
  const { experiment, variant, changes, seed, command } = run;
  try {
    const asked = resolveExperiment(await loadExperiment(experiment.id), { variant: variant ?? undefined, changes });
    const names = differences(flatFields(asked), flatFields(experiment)).map(
      ({ name, a, b }) => `${name} (asked for: ${a ?? 'none'}; run.json: ${b ?? 'none'})`,
    );
    const doubts = names.length === 0 ? [] : [`The experiment is not the one that was asked for: ${names.join(', ')}.`];
    const again = repeatCommand({ id: experiment.id, variant, changes }, seed);
    if (again !== command) doubts.push(`The command that repeats the run is ${again}, and run.json says ${command}.`);
    return { doubts, left: null };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { doubts: [`The experiment is none that can be asked for: ${error.message}`], left: null };
  }
}
