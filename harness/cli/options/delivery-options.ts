/** The options by which a result reaches a CI system, the same for every command that has one. */
import type { Typed } from '../command.ts';
import { requireWritableFile } from '../runs/out-folder.ts';
import { oneOf } from './option-values.ts';

/** The options by which a result reaches a CI system. */
export const deliveryOptions = {
  '--junit <file>': 'write the result as JUnit there too',
  '--summary <file>': 'write the summary, in Markdown, there too',
  '--annotations <kind>': 'github or none: `::error file=…,line=…` lines (default: github under GitHub Actions)',
} as const;

/** Options as they are typed. */
export type DeliveryOptions = Typed<typeof deliveryOptions & { '--json': string }>;

/**
 * Refuses what could not be delivered, before anything has run.
 * @throws {HarnessError} naming the option
 */
export async function checkDelivery({ annotations, junit, summary }: DeliveryOptions): Promise<void> {
  if (annotations !== undefined) oneOf('--annotations', annotations, ['github', 'none']);
  for (const [option, path] of [
    ['--junit', junit],
    ['--summary', summary],
  ] as const) {
    if (path !== undefined) await requireWritableFile(option, path);
  }
}
