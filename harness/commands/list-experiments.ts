/** `experiment list`: every experiment with its question, its variants, and what came of it last. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { markdownTable } from 'markdown-table';
import { exitCodes } from '../errors.ts';
import { loadCatalog } from '../scenario/catalog.ts';
import { runFiles } from '../scenario/run-folder.ts';
import { boundText } from '../verdict/citation.ts';
import { verdictSchema } from '../verdict/verdict.ts';
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
  const path = join(folder, 'latest', runFiles.verdict);
  if (!existsSync(path)) return '–';
  const parsed = verdictSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) return 'of another version';
  const { verdict, variant, restarts, badRestarts, dropped, due } = parsed.data;
  const share = restarts === 0 ? '' : `, ${badRestarts} of ${restarts} restarts bad (${boundText(parsed.data)})`;
  return `${verdict}${variant === null ? '' : ` (${variant})`}: ${dropped} of ${due} dropped${share}`;
}
