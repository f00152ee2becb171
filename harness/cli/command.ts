/** A command of the command line, as data: its name, what it takes, its help, and what it does. */
import type { Command } from 'commander';
import type { Context } from './context.ts';

/** Options by their flags (`--out <folder>`), with the help of each; one that is `again` may be given more than once. */
export type OptionTable = Readonly<Record<`--${string}`, string | readonly [help: string, again: 'again']>>;

type Argument = readonly [name: string, help: string];

type Camel<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;
type KeyOf<Flags> = Flags extends `--no-${infer Name}`
  ? Camel<Name>
  : Flags extends `--${infer Name} <${string}` | `--${infer Name}`
    ? Camel<Name>
    : never;
type ValueOf<Flags, Help> = Flags extends `--no-${string}`
  ? boolean
  : Flags extends `${string} <${infer Value}`
    ? Value extends `${string}...>`
      ? readonly string[]
      : Help extends string
        ? string
        : readonly string[]
    : true;

/** Options as they are typed: those of `--no-wait` as `wait`. */
export type Typed<Table> = { readonly [Flags in keyof Table as KeyOf<Flags>]?: ValueOf<Flags, Table[Flags]> };

type Words<Takes> = {
  [Place in keyof Takes]: Takes[Place] extends readonly [infer Name, string]
    ? Name extends `${string}...${string}`
      ? string[]
      : Name extends `[${string}`
        ? string | undefined
        : string
    : never;
};

/** None where a command has no options. */
type OptionsOf<Table> = Table extends undefined ? [] : [options: Typed<Table>];

interface Described<Takes, Options> {
  readonly name: string;
  readonly about: string;
  /** Left out of the list of commands. */
  readonly isHidden?: boolean;
  /** Its arguments: `<run>`, `[sql]` or `<folders...>`, with the help of each. */
  readonly takes?: Takes;
  readonly options?: Options;
  /** Stands below the options. */
  readonly notes?: string;
  readonly examples?: readonly string[];
}

/** A command of the command line. */
export interface CliCommand extends Described<readonly Argument[], OptionTable | undefined> {
  /**
   * Does it. What takes long to load (Docker's client, the database, the charts) is imported here, not above.
   * @param words arguments and options, as commander passes them
   * @returns what the process exits with, unless the user interrupts it
   */
  readonly run: (context: Context, ...words: never[]) => Promise<number>;
}

/** A command whose `run` takes what the command declares. */
export function command<
  const Takes extends readonly Argument[] = readonly [],
  const Options extends OptionTable | undefined = undefined,
>(
  described: Described<Takes, Options> & {
    readonly run: (context: Context, ...words: [...Words<Takes>, ...OptionsOf<Options>]) => Promise<number>;
  },
) {
  return described;
}

/** Adds it to the program. */
export function addCommand(
  program: Command,
  { name, about, isHidden = false, takes = [], options = {}, notes = '', examples = [] }: CliCommand,
): Command {
  const added = program.command(name, { hidden: isHidden }).description(about);
  for (const [argument, help] of takes) added.argument(argument, help);
  for (const [flags, help] of Object.entries(options)) {
    if (typeof help === 'string') added.option(flags, help);
    else added.option(flags, help[0], collect);
  }
  return added.addHelpText(
    'after',
    [
      ...(notes === '' ? [] : ['', notes]),
      ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples.map((line) => `  ${line}`)]),
    ].join('\n'),
  );
}

/** Gathers the values of an option that may be repeated. */
function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
