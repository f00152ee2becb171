/** The secrets of a service.yaml: its texts as they are used, and as they may be written down. Pure. */
import type { OwnService } from '../experiment/own-service.ts';
import { expand, shownHeader, shownPath, shownScript } from '../gate/files/secrets.ts';

/** What stands in a service.yaml, but for its requests. */
export type WrittenService = Omit<OwnService, 'requests' | 'contents' | 'unitChanges'>;

type Path = readonly (string | number)[];

const ofVariable = /(?:^|\.)environment\.\w+$/u;
const ofPath = /^(?:health\.(?:live|ready)|version\.path|writes\.url)$/u;
const ofCommand = /^(?:start|(?:release|writes)\.command|containers\.\d+\.(?:start|ready))$/u;

/** Changes a text: that of a variable with its name, or a path that is asked. */
type Change = (text: string, path: Path, name?: string) => string;

/** All texts of a service, changed: those of variables and paths by one function, command lines by another. */
function withTexts(service: WrittenService, change: Change, command = (text: string): string => text): WrittenService {
  const changed = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((one, index) => changed(one, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one, [...path, name])]));
    }
    if (typeof value !== 'string') return value;
    const at = path.join('.');
    if (ofVariable.test(at)) return change(value, path, String(path.at(-1)));
    if (ofPath.test(at)) return change(value, path);
    return ofCommand.test(at) ? command(value) : value;
  };
  return changed(service, []) as WrittenService;
}

/** The values of its variables, and its paths. */
function textsOf(service: WrittenService): { text: string; path: Path; name: string | undefined }[] {
  const all: ReturnType<typeof textsOf> = [];
  withTexts(service, (text, path, name) => {
    all.push({ text, path, name });
    return text;
  });
  return all;
}

/**
 * As it is used: `${NAME}` in the value of a variable, or in a path, is one of this machine's environment. In a command line
 * it is the unit's own, and stays.
 * @param wrong makes an error of a field and what is wrong with it
 */
export function usedService(
  service: WrittenService,
  environment: NodeJS.ProcessEnv,
  { labelOf, wrong }: { labelOf: (...path: Path) => string; wrong: (path: Path, what: string) => Error },
): WrittenService {
  return withTexts(service, (text, path, name) => {
    const value = expand(labelOf(...path), text, environment);
    if (/[\x00-\x1f\x7f]/u.test(value)) throw wrong(path, 'must be one line, and the variable that it names is not');
    if (name === undefined && !/^[\x21\x22\x24-\x7e]*$/u.test(value)) {
      throw wrong(path, 'must be as it is sent: ASCII without spaces and # (%20 is a space)');
    }
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
  const values = new Map(textsOf(shown).map(({ text, path }) => [path.join('.'), text]));
  const hidden = textsOf(used).flatMap(({ text, path, name }) => {
    const value = values.get(path.join('.')) ?? '';
    return value === text ? [] : [{ text, value, isPath: name === undefined }];
  });
  const secrets = hidden.flatMap(({ text, isPath }) => (isPath ? [] : text));
  const paths = hidden.filter(({ isPath }) => isPath);
  return (whole) => {
    const text = paths.reduce((of, path) => of.replaceAll(path.text, () => path.value), whole);
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
  const told: Change = (text, _, name) => (name === undefined ? shownPath(text) : shownHeader(name, text, []));
  const secrets = textsOf(service).flatMap(({ text, path, name }) =>
    name === undefined || told(text, path, name) === text ? [] : text,
  );
  const shown = (text: string): string => shownScript(text, secrets);
  return withTexts(service, (text, path, name) => shown(told(text, path, name)), shown);
}
