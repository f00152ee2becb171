/** How options are typed. */
import { quoted } from '../../conduct/run-request.ts';

/** `expectStatus` as it is typed: `expect-status`. */
function optionName(key: string): string {
  return key.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

/** The first of these options that was given, as it is typed. */
export function givenOption<Options extends object>(
  options: Options,
  keys: readonly (keyof Options & string)[],
): string | undefined {
  const given = keys.find((key) => options[key] !== undefined);
  return given === undefined ? undefined : `--${optionName(given)}`;
}

/** Options by their names in code, as a shell takes them again: `false` as `--no-…`, and none for what is undefined. */
export function optionWords(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (value === false) return `--no-${optionName(key)}`;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.map((one) => `--${optionName(key)}${one === true ? '' : ` ${quoted(String(one))}`}`);
  });
}
