/** `experiment list`: every experiment with its question, its variants, and what came of it last. */
import { join, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { exitCodes, HarnessError } from '../../base/errors.ts';
import { readCatalog, type BrokenExperiment } from '../../experiment/catalog.ts';
import { boundText } from '../../verdict/citation.ts';
import { readRun } from '../../verdict/read-run.ts';
import type { Context } from '../context.ts';

/** Prints the list. */
export async function listExperiments(context: Context, options: { out?: string }): Promise<number> {
  const reports = options.out === undefined ? join(context.projectFolder, 'reports') : resolve(options.out);
  const { experiments, broken } = await readCatalog();
  const rows = await Promise.all(
    experiments.map(async ({ id, title, question }) => [id, title, question, await lastVerdict(join(reports, id))]),
  );
  const variants = experiments
    .filter((file) => Object.keys(file.variants).length > 0)
    .map((file) => `${file.id}: ${Object.keys(file.variants).join(', ')}`);
  context.stdout(
    `${markdownTable([['id', 'title', 'question', 'last run'], ...rows])}\n\n` +
      `Variants (--variant <name>):\n${variants.map((line) => `  ${line}\n`).join('')}${brokenText(broken)}`,
  );
  return exitCodes.pass;
}

/** The files that nothing can be run of, each with what is wrong. */
export function brokenText(broken: readonly BrokenExperiment[]): string {
  if (broken.length === 0) return '';
  const lines = broken.map(({ error }) => {
    const [first = '', ...more] = error.message.split('\n');
    return `  ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}\n`;
  });
  return `\nCannot be run until the file is corrected:\n${lines.join('')}`;
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
