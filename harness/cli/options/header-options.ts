/** Headers that a user gives. */
import { isHeaderValue, isOwnHeader } from '../../gate/files/requests.ts';
import { toldHeader, type Told } from '../../gate/files/secrets.ts';
import { optionError } from './option-values.ts';

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
