/** Options of `measure` that stand in a budgets file. */
import { usageError } from '../../gate/refusals.ts';
import type { ServiceFile } from '../../gate/read-budgets.ts';
import { shown } from '../../experiment/mistakes.ts';
import { didYouMean } from '../../base/nearest.ts';

/** An option of `measure`, by its name without dashes before it. */
export interface KnownOption {
  readonly name: string;
  readonly takes: 'nothing' | 'a value' | 'values';
}

/** What a file cannot say: it is about the call, or follows from the budgets. */
const notInFile = new Set(
  ['', 'budgets', 'json', 'out', 'junit', 'summary', 'annotations'].concat('max-dropped', 'max-gap', 'max-wait'),
);

type ServiceEntry = Pick<ServiceFile['entries'][number], 'name' | 'where' | 'data'>;

/**
 * The options of a service, as they would arrive from the command line.
 * @throws {HarnessError} naming line and column of one that does not exist, or has a value that it does not take
 */
export function optionsOfFile({ name, where, data }: ServiceEntry, known: readonly KnownOption[]): object {
  const usable = known.filter((option) => !notInFile.has(option.name));
  const options: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(data.measure)) {
    const takes = usable.find((each) => each.name === option)?.takes;
    const wrong = (what: string, hint?: string, index?: number): Error =>
      usageError(
        `${where('measure', option, ...(index === undefined ? [] : [index]))}: ${name}: ${option} ${what}.`,
        hint ?? 'docs/ci.md has an example.',
      );
    if (takes === undefined) {
      const names = usable.map((each) => each.name);
      throw wrong('is no option of measure', `${didYouMean(option, names)}There are ${names.join(', ')}.`);
    }
    if (takes === 'nothing') {
      if (typeof value !== 'boolean') throw wrong(`must be true or false, not ${shown(value)}`);
      if (value) options[optionKey(option)] = true;
    } else if (takes === 'a value') options[optionKey(option)] = textOf(value, wrong);
    else {
      const values = Array.isArray(value) ? (value as unknown[]) : [value];
      options[optionKey(option)] = values.map((each, index) =>
        textOf(each, (what, hint) => wrong(what, hint, Array.isArray(value) ? index : undefined)),
      );
    }
  }
  return options;
}

function textOf(value: unknown, wrong: (what: string, hint?: string) => Error): string {
  if (typeof value === 'string') return value;
  if (value === null) throw wrong('has no value', 'Take the line out, or write "" for an empty text.');
  if (typeof value === 'boolean') throw wrong(`must be text: write "${value}" in quotes`);
  throw wrong(`must be text, not ${shown(value)}`, 'Text that holds ": " or begins with [ or { needs quotes.');
}

/** `expect-status` is `expectStatus` where options are read. */
export function optionKey(option: string): string {
  return option.replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());
}
