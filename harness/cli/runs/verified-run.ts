/** A run that a gate or a baseline may rest on. */
import { HarnessError } from '../../base/errors.ts';
import { openRun } from '../../run/run-door.ts';
import type { ReadRun } from '../../verdict/read-run.ts';
import { verification } from './verification.ts';

/**
 * Opens a run whose files are as they were hashed, give the same verdict again, and which this state of the project made.
 * @throws {HarnessError} naming the folder and what does not hold
 */
export async function verifiedRun(folder: string): Promise<ReadRun> {
  const run = await openRun(folder);
  const { claimed, wrong, otherState } = await verification(run);
  const why =
    wrong[0] ??
    (otherState === null
      ? null
      : `another state of the project made it (commit ${otherState.commit}, sources ${otherState.sources}).`);
  if (claimed !== null && why === null) return { run: run.record, verdict: claimed };
  throw new HarnessError('gate-unusable', `${folder} does not hold: ${why ?? 'it has no verdict.'}`, {
    hint: `\`npm run verify -- ${folder}\` says the same.`,
  });
}
