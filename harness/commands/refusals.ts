/** What a command line must not hold. */
import type { Command } from 'commander';
import { HarnessError } from '../errors.ts';

/**
 * `npm run experiment E5 --rate 9` gives the option to npm and not to us: a run without it would not be what was asked.
 * @throws {HarnessError} naming the option, and how to write it
 */
export function refuseOptionsThatNpmTook(command: Command): void {
  for (const { long, attributeName } of command.options.map((option) => ({
    long: option.long ?? '',
    attributeName: option.attributeName(),
  }))) {
    const value = process.env[`npm_config_${long.slice(2).replaceAll('-', '_')}`];
    if (value === undefined || value === '' || command.getOptionValue(attributeName) !== undefined) continue;
    throw new HarnessError('npm-took-option', `npm took ${long} for an option of its own.`, {
      hint: `Put two dashes before it: npm run ${[command.name(), ...command.args].join(' ')} -- ${long}${value === 'true' ? '' : ` ${value}`}`,
    });
  }
}

/**
 * More words than a command takes are a mistake, never ignored.
 * @throws {HarnessError} naming them
 */
export function refuseArguments(args: readonly string[], allowed: number, what: string): void {
  if (args.length <= allowed) return;
  throw new HarnessError('arguments-too-many', `${what}: ${args.slice(allowed).join(' ')} is too much.`);
}
