/** `--requests`, and `requests` of a budgets file: the mix that the options of `measure` ask for. */
import { mixOfList, type MixDefaults, type ToldMix } from '../../gate/files/request-mix.ts';
import { readRequests } from '../../gate/files/read-requests.ts';
import type { MeasureOptions } from './measure-options.ts';
import { givenOption } from './option-words.ts';
import { optionError } from './option-values.ts';

/**
 * Reads the mix that the options ask for; null where they ask for a single request.
 * @throws {HarnessError} naming the option, or the place in the file, that is wrong
 */
export async function mixOf(
  options: MeasureOptions,
  url: URL,
  defaults: Omit<MixDefaults, 'secretHeaders' | 'hostField'>,
): Promise<ToldMix | null> {
  const placed = options.requests === undefined ? options.requestList : await readRequests(options.requests);
  if (placed === undefined) return null;
  const single = givenOption(options, ['method', 'body', 'capacity']);
  if (single !== undefined) throw optionError(`${single} is about a single request, and --requests names several.`);
  if (url.pathname !== '/' || url.search !== '') {
    throw optionError('--url must have no path with --requests: each request has its own.', `Such as ${url.origin}/`);
  }
  const hostField = 'header: ["Host: …"]';
  return mixOfList(placed, { ...defaults, secretHeaders: options.secretHeader ?? [], hostField });
}
