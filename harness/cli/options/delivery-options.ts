/** The options by which a result reaches a CI system, the same for every command that has one. */
import { constants } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { HarnessError } from '../../base/errors.ts';
import { usageError } from '../../gate/refusals.ts';

/** Options as they are typed. */
export interface DeliveryOptions {
  readonly json?: true;
  readonly junit?: string;
  readonly summary?: string;
  readonly annotations?: string;
}

/** Adds the options by which a result reaches a CI system. */
export function addDeliveryOptions(command: Command): Command {
  return command
    .option('--junit <file>', 'write the result as JUnit there too')
    .option('--summary <file>', 'write the summary, in Markdown, there too')
    .option(
      '--annotations <kind>',
      'github or none: `::error file=…,line=…` lines (default: github under GitHub Actions)',
    );
}

/**
 * Refuses what could not be delivered, before anything has run.
 * @throws {HarnessError} naming the option
 */
export async function checkDelivery({ annotations, junit, summary }: DeliveryOptions): Promise<void> {
  if (annotations !== undefined && annotations !== 'github' && annotations !== 'none') {
    throw usageError(`--annotations takes github or none, not ${JSON.stringify(annotations)}.`);
  }
  for (const [option, path] of [
    ['--junit', junit],
    ['--summary', summary],
  ] as const) {
    if (path !== undefined) await requireFile(option, path);
  }
}

/** A folder of that name, or a file in place of its folder, would be found out after the run. */
async function requireFile(option: string, path: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (path === '' || there?.isDirectory() === true) {
    throw new HarnessError('option-value', `${option} takes a file, and ${JSON.stringify(path)} is a folder.`);
  }
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => null);
    if (found === null && dirname(folder) !== folder) continue;
    const isUsable =
      found?.isDirectory() === true &&
      (await access(folder, constants.W_OK).then(
        () => true,
        () => false,
      ));
    if (isUsable) return;
    throw new HarnessError(
      'option-value',
      `${option} ${path} cannot be written: ${folder} is no folder that you may write to.`,
    );
  }
}
