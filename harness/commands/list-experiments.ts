/** `experiment list`: every experiment with its question, its variants, and what came of it last. */
import { join, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { exitCodes, HarnessError } from '../errors.ts';
import { loadCatalog } from '../scenario/catalog.ts';
import { boundText } from '../verdict/citation.ts';
import { readRun } from '../verdict/read-run.ts';
import type { Context } from './context.ts';

/** Prints the list. */
export async function listExperiments(context: Context, options: { out?: string }): Promise<number> {
  const reports = options.out === undefined ? join(context.projectFolder, 'reports') : resolve(options.out);
  const catalog = await loadCatalog();
  const rows = await Promise.all(
    catalog.map(async ({ id, title, question }) => [id, title, question, await lastVerdict(join(reports, id))]),
  );
  const variants = catalog
    .filter((file) => Object.keys(file.variants).length > 0)
    .map((file) => `${file.id}: ${Object.keys(file.variants).join(', ')}`);
  context.stdout(
    `${markdownTable([['id', 'title', 'question', 'last run'], ...rows])}\n\n` +
      `Variants (--variant <name>):\n${variants.map((line) => `  ${line}\n`).join('')}`,
  );
  return exitCodes.pass;
}

/** Verdict, bad restarts and drops of the run that `latest` points at. */
async function lastVerdict(folder: string): Promise<string> {
  const read = await readRun(join(folder, 'latest')).catch((error: unknown) => {
    if (error instanceof HarnessError) return error;
    throw error;
  });
  if (read instanceof HarnessError) return read.code === 'run-missing' ? '–' : 'cannot be read';
  const { verdict, variant, restarts, badRestarts, dropped, due } = read.verdict;
  const share = restarts === 0 ? '' : `, ${badRestarts} of ${restarts} restarts bad (${boundText(read.verdict)})`;
  return `${verdict}${variant === null ? '' : ` (${variant})`}: ${dropped} of ${due} dropped${share}`;
}
