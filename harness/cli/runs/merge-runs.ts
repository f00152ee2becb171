/** Runs of one experiment, from wherever they were made, added up into one claim. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { jsonText } from '../../base/foreign-text.ts';
import { gateFiles, isFile } from '../../gate/gate-folder.ts';
import { tableOf } from '../../report/format.ts';
import { runFiles } from '../../run/run-folder.ts';
import { poolRuns, type PooledRuns, type ShardRun } from '../../verdict/pool/pool-runs.ts';
import type { Context } from '../context.ts';
import { pathText } from '../print/path.ts';
import { exitCodeOf } from '../print/run-summary.ts';
import { jsonFile, writeFiles } from './out-folder.ts';
import { verifiedRun } from './verification.ts';

/** A folder of shards holds shards, a shard experiments, an experiment runs. */
const mostLevels = 3;

/**
 * Folders of runs: those that are named, and in other folders those that were made beside their controls. None where a
 * gate lies in one of them: its runs are the gate's to judge.
 */
export async function runsIn(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await isFile(join(folder, runFiles.run))) ? [folder] : runsBelow(folder, mostLevels),
    ),
  );
  return found.includes(null) ? [] : [...new Set(found.flatMap((runs) => runs ?? []))];
}

/** null where a gate lies there. */
async function runsBelow(folder: string, levels: number): Promise<string[] | null> {
  if (await isFile(join(folder, gateFiles.asked))) return null;
  if (await isFile(join(folder, runFiles.run))) {
    return (await isFile(join(folder, runFiles.controls))) ? [folder] : [];
  }
  if (levels === 0) return [];
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below: string[] = [];
  for (const entry of inside) {
    const runs = entry.isDirectory() ? await runsBelow(join(folder, entry.name), levels - 1) : [];
    if (runs === null) return null;
    below.push(...runs);
  }
  return below;
}

/** Verifies the runs, adds them up, and writes merged.json and merged.md; the exit code is that of what they come to. */
export async function mergeRuns(
  context: Context,
  folders: readonly string[],
  { claim, json, out }: { claim: number | null; json: boolean; out: string },
): Promise<number> {
  const runs: ShardRun[] = [];
  for (const folder of folders) {
    context.stderr(`verify ${folder}\n`);
    runs.push({ ...(await verifiedRun(folder)), folder, shard: dirname(dirname(folder)) });
  }
  const isOneShard = new Set(runs.map(({ shard }) => shard)).size === 1;
  const merged = poolRuns(isOneShard ? runs.map((run) => ({ ...run, shard: run.folder })) : runs, claim);
  await writeFiles(out, { 'merged.json': jsonFile(merged), 'merged.md': mergedText(merged) });
  const { verdict, reasons } = merged.pooled;
  const lines = [
    lineOf(merged),
    ...reasons.map((reason) => `  ${reason}`),
    `table: ${pathText(join(out, 'merged.md'))}`,
  ];
  context.stdout(json ? jsonText(merged) : `${lines.join('\n')}\n`);
  return exitCodeOf(verdict);
}

const claimWords = { borne: 'borne', refuted: 'refuted', 'too-few': 'too few restarts' } as const;

function lineOf({ experiment, variant, pooled }: PooledRuns): string {
  const name = variant === null ? experiment : `${experiment} ${variant}`;
  const { claim } = pooled;
  const claimed =
    claim === null ? '' : `; ${claim.cleanPercent} % of restarts clean, with 95 %: ${claimWords[claim.answer]}`;
  return `${pooled.verdict}: ${name}, ${pooled.sentence}${claimed}`;
}

function mergedText(merged: PooledRuns): string {
  const table = tableOf(merged.runs, [
    ['run', ({ runId }) => runId],
    ['seed', ({ seed }) => String(seed)],
    ['verdict', ({ verdict }) => verdict],
    ['bad restarts', ({ badRestarts, restarts }) => `${badRestarts} of ${restarts}`],
    ['dropped', ({ dropped, due }) => `${dropped} of ${due}`],
    ['ledger, sha256', ({ ledger }) => ledger.slice(0, 16)],
    ['machine', ({ machine }) => machine],
  ]);
  const reasons = merged.pooled.reasons.map((reason) => `- ${reason}\n`).join('');
  return `# ${merged.experiment}: ${merged.runs.length} runs, added up\n\n${lineOf(merged)}\n\n${reasons}${
    reasons === '' ? '' : '\n'
  }${table}\n`;
}
