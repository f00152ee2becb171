/** What requests are, as the options of `measure` say: their headers, and with `--requests` the mix that is asked for. */
import { isHeaderValue, isOwnHeader } from '../../gate/files/requests.ts';
import { mixOfList, type MixDefaults, type ToldMix } from '../../gate/files/request-mix.ts';
import { readRequests } from '../../gate/files/read-requests.ts';
import { toldHeader, type Told } from '../../gate/files/secrets.ts';
import type { MeasureOptions } from './measure-options.ts';
import { optionError } from './option-values.ts';
import { givenOption } from './option-words.ts';

const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;

/**
 * A line of `--header`.
 * @throws {HarnessError} when it is of another form, or is the instrument's own
 */
export function parseHeader(
  text: string,
  environment: NodeJS.ProcessEnv,
  secretHeaders: readonly string[],
): readonly [string, Told] {
  const colon = text.indexOf(':');
  const name = colon < 0 ? '' : text.slice(0, colon);
  // What was meant as a value may be a secret, and is not repeated.
  if (!headerName.test(name)) throw optionError('--header is not of the form "Name: value".');
  if (isOwnHeader(name)) throw optionError(`The header ${name} is set by the instrument itself.`);
  const told = toldHeader(name, text.slice(colon + 1).trim(), environment, secretHeaders);
  if (!isHeaderValue(told.sent)) {
    throw optionError(`The value of --header ${name} is not of the form "Name: value" in one line of Latin letters.`);
  }
  return [name, told];
}

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
