/** Options of `measure` that stand in a budgets file. */
import { didYouMean } from '../../base/nearest.ts';
import { shown } from '../../experiment/mistakes.ts';
import { requestsOf } from '../../gate/files/read-requests.ts';
import type { ServiceFile } from '../../gate/files/read-budgets.ts';
import { usageError } from '../../gate/refusals.ts';
import { fileOptions, type MeasureOptions } from './measure-options.ts';

type ServiceEntry = Pick<ServiceFile['entries'][number], 'name' | 'where' | 'data'>;

/**
 * The options of a service, as they would arrive from the command line.
 * @param path of the file
 * @throws {HarnessError} naming line and column of one that does not exist, or has a value that it does not take
 */
export function optionsOfFile(entry: ServiceEntry, path: string): MeasureOptions {
  const { name, where, data } = entry;
  const requestList = requestsOf(entry, path);
  const options: Record<string, unknown> = requestList === undefined ? {} : { requestList };
  for (const [option, value] of Object.entries(data.measure)) {
    if (option === 'requests') continue;
    const wrong = (what: string, hint = 'docs/ci.md has an example.', index?: number): Error => {
      const place = where('measure', option, ...(index === undefined ? [] : [index]));
      return usageError(`${place}: ${name}: ${option} ${what}.`, hint);
    };
    const known = fileOptions.find((each) => each.name === option);
    if (known === undefined) {
      const names = fileOptions.map((each) => each.name);
      throw wrong('is no option of measure', `${didYouMean(option, names)}There are ${names.join(', ')}.`);
    }
    const { key, takes } = known;
    if (takes === 'nothing') {
      if (typeof value !== 'boolean') throw wrong(`must be true or false, not ${shown(value)}`);
      if (value) options[key] = true;
    } else if (takes === 'a value') options[key] = textOf(value, wrong);
    else if (Array.isArray(value)) {
      const texts = value as readonly unknown[];
      options[key] = texts.map((each, index) => textOf(each, (what, hint) => wrong(what, hint, index)));
    } else options[key] = [textOf(value, wrong)];
  }
  return options;
}

function textOf(value: unknown, wrong: (what: string, hint?: string) => Error): string {
  if (typeof value === 'string') return value;
  if (value === null) throw wrong('has no value', 'Take the line out, or write "" for an empty text.');
  if (typeof value === 'boolean') throw wrong(`must be text: write "${value}" in quotes`);
  throw wrong(`must be text, not ${shown(value)}`, 'Text that holds ": " or begins with [ or { needs quotes.');
}
