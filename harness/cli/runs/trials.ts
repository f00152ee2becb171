/** `--trials n`: the whole run several times, each on a fresh lab with a seed of its own, and what they come to together. */
import { join } from 'node:path';
import { tableOf } from '../../report/format.ts';
import { newRunId } from '../../run/run-folder.ts';
import type { Shard } from '../../gate/shard.ts';
import { pool, type Pooled } from '../../verdict/pool/pool.ts';
import type { Verdict } from '../../verdict/record/verdict.ts';
import { conductSeries } from '../../conduct/series.ts';
import { nameOfRun, requestOf, type RunRequest } from '../../conduct/run-request.ts';
import { jsonText } from '../../base/foreign-text.ts';
import { exitCodeOf } from '../print/run-summary.ts';
import { insideLines } from '../print/look-inside.ts';
import type { Context } from '../context.ts';
import { pathText } from '../print/path.ts';
import { withConductor } from './conductor.ts';
import { jsonFile, writeFiles } from './out-folder.ts';

/**
 * Runs the trials one after another; the exit code is that of what they come to together.
 * @param how `shard`: which of them are made here. `claim`: the share of clean restarts of all together, in percent
 */
export async function runTrials(
  context: Context,
  asked: RunRequest,
  how: { trials: number; shard: Shard | null; claim: number | null; json: boolean; wait: boolean },
): Promise<number> {
  const { trials, shard, claim, json, wait } = how;
  const verdicts: Verdict[] = [];
  const kept: string[] = [];
  const own = Array.from({ length: trials }, (_, index) => index).filter(
    (index) => shard === null || index % shard.of === shard.index - 1,
  );
  const runs = own.map((index) => {
    const seed = asked.seed + index;
    const place = `trial ${index + 1} of ${trials}`;
    const keep = asked.keep && index === own.at(-1);
    return { place, words: `, seed ${seed}`, request: requestOf({ ...asked, keep, seed }) };
  });
  await withConductor(context, { command: `${asked.command} --trials ${trials}`, wait }, (conductor) =>
    conductSeries(conductor, runs, {
      made: (_, { verdict, kept: lab }) => {
        verdicts.push(verdict);
        if (lab !== null) kept.push(...insideLines(lab));
      },
    }),
  );
  // A part alone has too few restarts: all parts together are held to the claim, by `merge`.
  const pooled = pool(verdicts, shard === null ? claim : null);
  const name = nameOfRun(asked);
  const folder = join(asked.reportsFolder, asked.experiment.id, `trials-${newRunId(new Date())}`);
  await writeFiles(folder, {
    'trials.json': jsonFile({ pooled, verdicts }),
    'trials.md': `# ${name}: ${verdicts.length} trials\n\n${trialsText(pooled, verdicts)}\n`,
  });
  const lines = [`${pooled.verdict}: ${name}, ${pooled.sentence}`, ...pooled.reasons.map((reason) => `  ${reason}`)];
  const table = `table: ${pathText(join(folder, 'trials.md'))}`;
  context.stdout(json ? jsonText({ pooled, verdicts }) : `${[...lines, table].join('\n')}\n`);
  if (asked.keep && kept.length === 0) context.stderr('No lab is left standing: the last trial was not run.\n');
  for (const line of kept) context.stderr(`${line}\n`);
  return exitCodeOf(pooled.verdict);
}

function trialsText(pooled: Pooled, verdicts: readonly Verdict[]): string {
  const table = tableOf(
    [...verdicts.entries()],
    [
      ['trial', ([index]) => String(index + 1)],
      ['run', ([, { runId }]) => runId],
      ['verdict', ([, { verdict }]) => verdict],
      ['bad restarts', ([, { badRestarts, restarts }]) => `${badRestarts} of ${restarts}`],
      ['dropped', ([, { dropped }]) => String(dropped)],
      ['predicted', ([, { predicted }]) => predicted.dropped?.toFixed(0) ?? '–'],
      ['due', ([, { due }]) => String(due)],
      ['longest wait, ms', ([, { longestWaitMs }]) => longestWaitMs?.toFixed(0) ?? '–'],
    ],
  );
  return `${pooled.verdict}: ${pooled.sentence}\n\n${table}`;
}
