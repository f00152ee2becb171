/** `verify`: are a run's files unchanged, and do they give the same verdict again? */
import { resolve } from 'node:path';
import { exitCodes } from '../base/errors.ts';
import { shownLine } from '../base/foreign-text.ts';
import { quoted } from '../conduct/run-request.ts';
import { openRun } from '../run/run-door.ts';
import { isConclusive } from '../verdict/record/verdict.ts';
import { command } from './command.ts';

/**
 * Prints what the run claims, whether that holds, and how to check what this state of the project cannot. Exits 0 when a
 * pass or fail holds, 1 when anything does not, 3 when all holds and the run itself makes no claim.
 */
export const verify = command({
  name: 'verify',
  about: 'say whether the line of a run holds: its files are unchanged, and give the same verdict again',
  takes: [['<run>', "the run's folder, such as reports/measure/latest"]],
  notes: `Exits 0 when the line of a pass or a fail holds, 1 when something does not, and 3 when all holds of a run that is
inconclusive or aborted: it makes no claim.`,
  examples: ['npm run verify -- reports/measure/latest'],
  run: async (context, folder) => {
    const { verification } = await import('./runs/verification.ts');
    const run = await openRun(folder);
    const { claimed, wrong, otherState } = await verification(run);
    if (claimed !== null) context.stdout(`${shownLine(claimed.citation)}\n`);
    if (otherState !== null) context.stderr(`${commandsOf(otherState, resolve(folder))}\n`);
    if (claimed === null || wrong.length > 0) {
      context.stdout(`does not hold:\n${wrong.map((sentence) => `  ${shownLine(sentence)}\n`).join('')}`);
      return exitCodes.expectationMissed;
    }
    const again = otherState === null ? 'this verdict and report' : 'this verdict';
    const checked = `every file is as it was hashed, and the raw files give ${again} again`;
    if (isConclusive(claimed)) {
      context.stdout(`holds: ${claimed.verdict}; ${checked}\n`);
      return exitCodes.pass;
    }
    const reasons = claimed.reasons.map((reason) => `  ${shownLine(reason)}\n`).join('');
    context.stdout(`${claimed.verdict}: ${checked}, but the run makes no claim:\n${reasons}`);
    return exitCodes.inconclusive;
  },
});

/** How to check a run that another state of the project made. */
function commandsOf({ commit, sources }: { commit: string; sources: string }, folder: string): string {
  const isCommit = /^[0-9a-f]{40}$/u.test(commit);
  const version = /^restart-proof [\w.+-]+$/u.exec(commit)?.[0];
  const made = version === undefined ? `commit ${shownLine(commit)}` : `the package ${version}`;
  const note =
    `note: another state of the project made this run (${made}, sources ${shownLine(sources)}), so its experiment was not ` +
    'compared with experiments/, nor its report with the words of this state.';
  const run = quoted(folder);
  if (version !== undefined) {
    return `${note} To check it with that state, where that package is installed:\n  npx restart-proof verify ${run}`;
  }
  if (!isCommit) return `${note} No commit has that state, so nobody can check it.`;
  const beside = `../restart-proof-${commit.slice(0, 7)}`;
  return [
    `${note} To check it with that state, in a checkout:`,
    `  git worktree add --detach ${beside} ${commit}`,
    `  cd ${beside}`,
    '  npm run setup',
    `  npm run verify -- ${run}`,
  ].join('\n');
}
