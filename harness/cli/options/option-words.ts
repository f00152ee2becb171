/** How options are typed. */

/** `expectStatus` as it is typed: `--expect-status`. */
const flagOf = (key: string): string => `--${key.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;

/** The first of these options that was given, as it is typed. */
export function givenOption<Options extends object>(
  options: Options,
  keys: readonly (keyof Options & string)[],
): string | undefined {
  const given = keys.find((key) => options[key] !== undefined);
  return given === undefined ? undefined : flagOf(given);
}

/** Options by their names in code, as arguments of a process: `false` as `--no-…`, and none for what is undefined. */
export function optionArguments(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (value === false) return flagOf(key).replace('--', '--no-');
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((one) => (one === true ? flagOf(key) : [flagOf(key), String(one)]));
  });
}
