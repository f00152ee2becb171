/** `experiment list`: every experiment with its question, its variants, and what came of it last. */
import { join } from 'node:path';
import { markdownTable } from 'markdown-table';
import { HarnessError } from '../../base/errors.ts';
import { readCatalog, type BrokenExperiment } from '../../experiment/catalog.ts';
import { boundText } from '../../verdict/citation.ts';
import { readRun } from '../../verdict/record/read-run.ts';

/** The list; an experiment without a run in `reports` shows the one in `kept`. */
export async function experimentList(reports: string, kept: string): Promise<string> {
  const { experiments, broken } = await readCatalog();
  const rows = await Promise.all(
    experiments.map(async ({ id, title, question }) => {
      const last = (await runText(join(reports, id, 'latest'))) ?? (await runText(join(kept, id), 'kept run, '));
      return [id, title, question, last ?? '–'];
    }),
  );
  const variants = experiments
    .filter((file) => Object.keys(file.variants).length > 0)
    .map((file) => `${file.id}: ${Object.keys(file.variants).join(', ')}`);
  return (
    `${markdownTable([['id', 'title', 'question', 'last run'], ...rows])}\n\n` +
    `Variants (--variant <name>):\n${variants.map((line) => `  ${line}\n`).join('')}${brokenText(broken)}`
  );
}

/** The files that cannot be run, each with its first mistake. */
export function brokenText(broken: readonly BrokenExperiment[]): string {
  if (broken.length === 0) return '';
  const lines = broken.map(({ error }) => {
    const [first = '', ...more] = error.message.split('\n');
    return `  ${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}\n`;
  });
  return `\nCannot be run until the file is corrected:\n${lines.join('')}`;
}

/** Verdict, bad restarts and drops of a run; null where there is none. */
async function runText(folder: string, prefix = ''): Promise<string | null> {
  try {
    const { verdict: run } = await readRun(folder);
    const share = run.restarts === 0 ? '' : `, ${run.badRestarts} of ${run.restarts} restarts bad (${boundText(run)})`;
    const variant = run.variant === null ? '' : ` (${run.variant})`;
    return `${prefix}${run.verdict}${variant}: ${run.dropped} of ${run.due} dropped${share}`;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return error.code === 'run-missing' ? null : 'cannot be read';
  }
}
