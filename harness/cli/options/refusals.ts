/** What a command line must not hold. */
import type { Command, Option } from 'commander';
import { HarnessError } from '../../base/errors.ts';
import { isCheckout } from '../../project.mjs';

/** Options that npm has too: with them, npm's own settings may be all that is meant. */
const alsoOfNpm = ['--json', '--dry-run'];

/**
 * `npm run experiment E5 --rate 9` gives the option to npm and not to us: a run without it would not be what was asked.
 * @param env the process's variables; npm puts what it took there
 * @throws {HarnessError} naming the options, and how to write them
 */
export function refuseOptionsThatNpmTook(command: Command, env: NodeJS.ProcessEnv = process.env): void {
  const words = command.args.slice(0, command.registeredArguments.length);
  const spare = command.args.slice(command.registeredArguments.length);
  const taken = [...command.options, ...(command.parent?.options ?? [])]
    .map((option) => ({ option, values: takenByNpm(option, env) }))
    .filter(
      ({ option, values }) =>
        values.length > 0 && command.getOptionValueSourceWithGlobals(option.attributeName()) !== 'cli',
    );
  if (taken.length > 0) {
    const written = taken.flatMap(({ option, values }) => asWritten(option, values));
    // npm takes `--rate` for a switch and leaves its value behind; whose a word was is sure only where it is one.
    const missing = written.filter(({ value }) => value === 'missing');
    const flags = written.map(({ flag, value, placeholder }) => {
      if (value === 'none') return flag;
      if (value !== 'missing') return `${flag} ${value}`;
      return `${flag} ${missing.length === 1 && spare.length === 1 ? (spare[0] ?? '') : placeholder}`;
    });
    const names = [...new Set(written.map(({ flag }) => flag))];
    throw new HarnessError(
      'npm-took-option',
      `npm took ${names.join(', ')} for ${names.length === 1 ? 'an option' : 'options'} of its own.`,
      {
        hint: isCheckout
          ? `Put two dashes before: npm run ${[command.name(), ...words].join(' ')} -- ${flags.join(' ')}`
          : `Put two dashes before them, where npm starts it: -- ${flags.join(' ')}`,
      },
    );
  }
  const foreign = (command.parent?.commands ?? [])
    .flatMap(({ options }) => options)
    .filter(({ long }) => !alsoOfNpm.includes(long ?? '') && !command.options.some((own) => own.long === long))
    .find((option) => takenByNpm(option, env).length > 0);
  if (foreign === undefined) return;
  throw new HarnessError('command-line', `${command.name()} has no option ${foreign.long ?? ''}.`);
}

/** What npm holds for an option; empty when it was not given. */
function takenByNpm(option: Option, env: NodeJS.ProcessEnv): string[] {
  const name = (option.long ?? '').replace(/^--(no-)?/u, '').replaceAll('-', '_');
  const value = env[`npm_config_${name}`];
  if (value === undefined || name === '') return [];
  // Of `--no-controls` npm makes controls=false, which it writes as nothing.
  if (option.negate) return value === '' ? [value] : [];
  return value === '' ? [] : value.split('\n\n');
}

/** An option as it was meant, once for each value. */
function asWritten(option: Option, values: readonly string[]): { flag: string; value: string; placeholder: string }[] {
  const flag = option.long ?? '';
  const placeholder = /<.*>/u.exec(option.flags)?.[0] ?? '';
  if (!option.required) return [{ flag, value: 'none', placeholder }];
  return values.map((value) => ({ flag, value: value === 'true' ? 'missing' : value, placeholder }));
}

/**
 * More words than a command takes are a mistake, never ignored.
 * @throws {HarnessError} naming them
 */
export function refuseArguments(args: readonly string[], allowed: number, what: string): void {
  if (args.length <= allowed) return;
  throw new HarnessError('arguments-too-many', `${what}: ${args.slice(allowed).join(' ')} is too much.`);
}

/** For every command: neither options that npm took, nor more words than it takes. */
export function refuseWrongWords(command: Command): void {
  refuseOptionsThatNpmTook(command);
  const allowed = command.registeredArguments.length;
  const takes = ['no words, only options', 'one word'][allowed] ?? `${allowed} words`;
  const isVariadic = command.registeredArguments.some(({ variadic }) => variadic);
  refuseArguments(command.args, isVariadic ? Infinity : allowed, `${command.name()} takes ${takes}`);
}
