/** A run whose line holds: what is decided from it was not made up. */
import { HarnessError } from '../../base/errors.ts';
import { openRun } from '../../run/run-door.ts';
import type { ReadRun } from '../../verdict/read-run.ts';
import { doubtsAbout } from './verification.ts';

/**
 * Opens a run and verifies it: its files are as they were hashed, give the same verdict again, and this state of the
 * project made it.
 * @throws {HarnessError} naming the folder and what does not hold
 */
export async function verifiedRun(folder: string): Promise<ReadRun> {
  const run = await openRun(folder);
  const { claimed, doubts, left } = await doubtsAbout(run);
  const refuse = (why: string): never => {
    throw new HarnessError('gate-unusable', `${folder} does not hold: ${why}`, {
      hint: `\`npm run verify -- ${folder}\` says the same.`,
    });
  };
  if (doubts[0] !== undefined) return refuse(doubts[0]);
  if (left !== null) return refuse(`${left}.`);
  if (claimed === null) return refuse('it has no verdict.');
  return { run: run.record, verdict: claimed };
}
