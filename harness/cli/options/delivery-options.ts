/** The options by which a result reaches a CI system, the same for every command that has one. */
import type { Command } from 'commander';

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
