/** The secrets of a service.yaml: its texts as they are used, and as they may be written down. Pure. */
import type { OwnService } from '../experiment/own-service.ts';
import { expand, shownHeader, shownScript } from '../gate/files/secrets.ts';

/** What stands in a service.yaml, but for its requests. */
export type WrittenService = Omit<OwnService, 'requests' | 'contents' | 'unitChanges'>;

type Variables = Readonly<Record<string, string>>;
type Path = readonly (string | number)[];

/** All texts of a service, changed: those of variables by one function, command lines by another. */
function withTexts(
  service: WrittenService,
  variable: (text: string, name: string, path: Path) => string,
  command: (text: string) => string = (text) => text,
): WrittenService {
  const all = (variables: Variables, path: Path): Record<string, string> =>
    Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, variable(text, name, [...path, name])]));
  const { start, environment, release, writes, containers } = service;
  return {
    ...service,
    ...(start !== undefined && { start: command(start) }),
    environment: all(environment, ['environment']),
    ...(release !== undefined && {
      release:
        'environment' in release
          ? { environment: all(release.environment, ['release', 'environment']) }
          : 'command' in release
            ? { command: command(release.command) }
            : release,
    }),
    ...(writes !== undefined && {
      writes: 'command' in writes ? { ...writes, command: command(writes.command) } : writes,
    }),
    containers: containers.map((container, index) => ({
      ...container,
      environment: all(container.environment, ['containers', index, 'environment']),
      ...(container.start !== undefined && { start: command(container.start) }),
      ...(container.ready !== undefined && { ready: command(container.ready) }),
    })),
  };
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
  const values = new Map<string, string>();
  withTexts(shown, (text, _, path) => {
    values.set(path.join('.'), text);
    return text;
  });
  const secrets: string[] = [];
  withTexts(used, (text, _, path) => {
    if (values.get(path.join('.')) !== text) secrets.push(text);
    return text;
  });
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
  const secrets: string[] = [];
  withTexts(service, (text, name) => {
    if (shownHeader(name, text, []) !== text) secrets.push(text);
    return text;
  });
  const shown = (text: string): string => shownScript(text, secrets);
  return withTexts(service, (text, name) => shown(shownHeader(name, text, [])), shown);
}
