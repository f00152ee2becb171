/**
 * How many lines a run's witnesses had when they were recorded. Of the ledger, of both request logs, of the probe and of the
 * notes each line has its fellow in another file, so that one that is taken out is seen; of the files here one may be taken
 * out, or the end cut off, and nothing else tells of it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { countGzippedLines } from './gzipped-lines.ts';
import { plainText } from './plain-file.ts';
import { runFiles } from './run-folder.ts';

/** The files, by their names in a run's folder. */
const countedWitnesses: readonly string[] = [
  runFiles.deployer,
  runFiles.engineEvents,
  runFiles.journal,
  runFiles.proxyLog,
  runFiles.queues,
];

/**
 * Counts the lines that are not empty of each of the files that is there.
 * @throws {HarnessError} naming the file, when it cannot be read to its end
 */
export async function countWitnessLines(folder: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of countedWitnesses) {
    const path = join(folder, name);
    if (existsSync(path)) counts[name] = name.endsWith('.gz') ? await countGzippedLines(path) : await countLines(path);
  }
  return counts;
}

async function countLines(path: string): Promise<number> {
  const lines = (await plainText(path)).split('\n');
  return lines.filter((line) => line !== '').length;
}
