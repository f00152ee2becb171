/** The secrets of a service.yaml: its texts as they are used, and as they may be written down. Pure. */
import type { OwnService } from '../experiment/own-service.ts';
import { expand, shownHeader, shownScript } from '../gate/files/secrets.ts';

/** What stands in a service.yaml, but for its requests. */
export type WrittenService = Omit<OwnService, 'requests' | 'contents' | 'unitChanges'>;

type Path = readonly (string | number)[];

const ofVariable = /(?:^|\.)environment\.\w+$/u;
const ofCommand = /^(?:start|(?:release|writes)\.command|containers\.\d+\.(?:start|ready))$/u;

/** All texts of a service, changed: those of variables by one function, command lines by another. */
function withTexts(
  service: WrittenService,
  variable: (text: string, name: string, path: Path) => string,
  command: (text: string) => string = (text) => text,
): WrittenService {
  const changed = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((one, index) => changed(one, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one, [...path, name])]));
    }
    if (typeof value !== 'string') return value;
    const at = path.join('.');
    if (ofVariable.test(at)) return variable(value, String(path.at(-1)), path);
    return ofCommand.test(at) ? command(value) : value;
  };
  return changed(service, []) as WrittenService;
}

/** The values of its variables. */
function textsOf(service: WrittenService): { text: string; name: string; path: Path }[] {
  const all: { text: string; name: string; path: Path }[] = [];
  withTexts(service, (text, name, path) => {
    all.push({ text, name, path });
    return text;
  });
  return all;
}

/**
 * As it is used: `${NAME}` in the value of a variable is one of this machine's environment. In a command line it is the
 * unit's own, and stays.
 * @param wrong makes an error of a field and what is wrong with it
 */
export function usedService(
  service: WrittenService,
  environment: NodeJS.ProcessEnv,
  { labelOf, wrong }: { labelOf: (path: Path) => string; wrong: (path: Path, what: string) => Error },
): WrittenService {
  return withTexts(service, (text, _, path) => {
    const value = expand(labelOf(path), text, environment);
    if (/[\x00-\x1f\x7f]/u.test(value)) throw wrong(path, 'must be one line, and the variable that it names is not');
    return value;
  });
}

/** A name and its value in quotes: `"NAME=a value"` of a unit's Environment=, and `NAME: "a value"` of YAML. */
const quoted = [
  /(["'])(?<name>[\w-]+)=(?<value>[^"'\n]*)\1/gu,
  /(?<name>[\w-]+)["']?[=:][\t ]*(["'])(?<value>[^"'\n]*)\2/gu,
];
/** What htpasswd writes behind a name. */
const hashOf = /:(?:\$(?:apr1|2[aby]|5|6)\$|\{SHA\})[^\s"',]+/gu;

/** Hides in a text, such as an error's words or a unit, what a service was given and nobody else may read. */
export function hiding(used: OwnService, shown: OwnService): (text: string) => string {
  const values = new Set(textsOf(shown).map(({ text, path }) => `${path.join('.')} ${text}`));
  const secrets = textsOf(used).flatMap(({ text, path }) => (values.has(`${path.join('.')} ${text}`) ? [] : text));
  return (text) => {
    // `Environment` is no name of a value.
    const apart = text.replaceAll(/^(\s*Environment)=/gmu, '$1= ').replaceAll(hashOf, ':${PASSWORD}');
    const inQuotes = quoted.reduce((of, pattern) => of.replaceAll(pattern, shownQuoted), apart);
    return shownScript(inQuotes, secrets).replaceAll(/^(\s*Environment)= /gmu, '$1=');
  };
}

function shownQuoted(whole: string, ...found: unknown[]): string {
  const { name = '', value = '' } = found.at(-1) as { name?: string; value?: string };
  return value === '' ? whole : whole.replace(value, () => shownHeader(name, value, []));
}

/** As it may be written down: what looks like a secret is named after the variable that could hold it. */
export function shownService(service: WrittenService): WrittenService {
  const secrets = textsOf(service).flatMap(({ text, name }) => (shownHeader(name, text, []) === text ? [] : text));
  const shown = (text: string): string => shownScript(text, secrets);
  return withTexts(service, (text, name) => shown(shownHeader(name, text, [])), shown);
}
