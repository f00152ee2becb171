/** The files that a service.yaml names: are they there, and would those that are used as they are work? */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { readWrittenFile, whyUnreadable } from '../gate/files/written-file.ts';
import { placeText, type Path } from '../gate/files/yaml-data.ts';
import { usageError } from '../gate/refusals.ts';
import type { NamedFile } from './own-files.ts';
import type { WrittenService } from './told-service.ts';
import { isWithin, programMistake, scriptMistake, type Copied } from './program-check.ts';
import { proxyMistake } from './proxy-text.ts';
import { envMistake, neededEnvOf, programOf, socketMistake, unitMistake, type TextMistake } from './unit-text.ts';

/** Makes an error of a field and what is wrong with it. */
export type Refuse = (path: Path, what: string, hint?: string) => Error;

interface Named extends NamedFile {
  readonly kind: 'file' | 'folder' | 'any';
}

/** Every file and folder that is named. */
export function namedFilesOf(service: WrittenService, folder: string, refuse: Refuse): Named[] {
  const named = (kind: Named['kind'], path: Path, name: string | undefined): Named[] =>
    name === undefined
      ? []
      : [{ kind, name, source: resolve(folder, name), refuse: (what, hint) => refuse(path, what, hint) }];
  return [
    ...service.files.flatMap((file, index) =>
      typeof file === 'string'
        ? named('any', ['files', index], file)
        : named('any', ['files', index, 'from'], file.from),
    ),
    ...(['unit', 'socket', 'env', 'proxy'] as const).flatMap((field) => named('file', [field], service[field])),
    ...linked(service).folders.flatMap((name, index) => named('folder', ['release', 'folders', index], name)),
  ];
}

/** The link of a release, and the folders that take turns behind it; none where a release is something else. */
function linked({ release }: WrittenService): { link: string | null; folders: readonly string[] } {
  return release !== undefined && 'link' in release ? release : { link: null, folders: [] };
}

/** Refuses one that is not there, or is of another kind. */
export async function refuseMissing({ source, name, kind, refuse }: Named): Promise<void> {
  const unreadable = (cause: unknown): never => {
    throw refuse(`${name} ${whyUnreadable(cause)}`, hintFor(name));
  };
  const found = await stat(source).catch(unreadable);
  if (kind === 'folder' && !found.isDirectory()) throw refuse(`${name} is no folder`);
  if (kind === 'file' && found.isDirectory()) throw refuse(`${name} is a folder`);
  if (!found.isDirectory() && !found.isFile()) throw refuse(`${name} is a pipe, a socket or a device`);
  await access(source, constants.R_OK).catch(unreadable);
}

function hintFor(name: string): string | undefined {
  if (name.includes('\\')) return 'Write / between folders.';
  if (name.startsWith('~')) return 'Only a shell knows ~: write the path from this file on.';
  return 'Paths are from the folder of this file on; what is built must be built before.';
}

/** A file that is copied, and where to. */
export interface Destination {
  readonly from: string;
  readonly to: string;
}

/** Where each of the files goes; refuses two that go to one place. */
export function destinationsOf(service: WrittenService, folder: string, refuse: Refuse): Destination[] {
  const { link, folders } = linked(service);
  refuseTwinFolders(folders, refuse);
  const taken = new Map(link === null ? [] : [[link, 'release.link']]);
  return service.files.map((file, index) => {
    const { from, to }: { from: string; to?: string | undefined } = typeof file === 'string' ? { from: file } : file;
    const path = to ?? `/opt/${service.name}/${basename(resolve(folder, from))}`;
    const other = taken.get(path);
    if (other !== undefined)
      throw refuse(['files', index], `goes to ${path}, as ${other} does`, 'Say where: { from: …, to: … }');
    taken.set(path, `files.${index}`);
    return { from, to: path };
  });
}

/** Each folder of a release keeps its own name on the server. */
function refuseTwinFolders(folders: readonly string[], refuse: Refuse): void {
  for (const [index, folder] of folders.entries()) {
    const first = folders.find((other) => basename(other) === basename(folder)) ?? folder;
    if (first === folder) continue;
    throw refuse(['release', 'folders', index], `is called ${basename(folder)}, as ${first} is: rename one`);
  }
}

/**
 * Refuses a unit, a socket unit, a file of variables or one of the proxy that would surely not work.
 * @param pathOf where a file lies, as errors call it
 */
export async function refuseUnusable(
  service: WrittenService,
  pathOf: (name: string) => string,
  refuse: Refuse,
): Promise<void> {
  const { start = '', unit, socket, env, proxy, public: address, host = `${service.name}.test` } = service;
  const [program = ''] = start.split(/\s/u);
  if (program.includes('/') && !/^["']?\//u.test(program)) {
    throw refuse(['start'], `takes an absolute path or a plain name, not ${program}`, `Such as /opt/${service.name}/…`);
  }
  const names = { unit: unitNameOf('unit', unit, refuse), socket: unitNameOf('socket', socket, refuse), address };
  if (proxy !== undefined && !/\.(ya?ml|toml)$/u.test(proxy)) {
    throw refuse(['proxy'], `${proxy} must end in .yml, .yaml or .toml: Traefik reads no other`);
  }
  const texts: [name: string | undefined, what: string, (text: string, path: string) => TextMistake | null][] = [
    [unit, 'unit', unitMistake],
    [socket, 'socket unit', (text) => socketMistake(text, names)],
    [env, 'file of variables', envMistake],
    [proxy, 'file of the proxy', (text, path) => proxyMistake(text, path, { address, host })],
  ];
  for (const [name, what, mistakeIn] of texts) {
    if (name === undefined) continue;
    const path = pathOf(name);
    const mistake = mistakeIn(await readWrittenFile(path, path, what), path);
    if (mistake !== null) throw textError(path, mistake);
  }
}

function textError(path: string, { line, column = 1, what, hint }: TextMistake): Error {
  return usageError(`${placeText(path, { line, column })}: ${what}.`, hint ?? 'It is used as it is: correct it there.');
}

/** Refuses a service whose program, or a file that its unit needs, is surely not on the server. */
export async function refuseAbsent(
  service: WrittenService & { readonly files: readonly Destination[] },
  { folder, pathOf }: { folder: string; pathOf: (name: string) => string },
  refuse: Refuse,
): Promise<void> {
  const { files, release, start, unit, image } = service;
  const { link, folders } = linked(service);
  const behind = link === null ? [] : folders.map((from) => ({ from, to: link }));
  const copied = [...files, ...behind].map(({ from, to }): Copied => ({ from, to, source: resolve(folder, from) }));
  const mayComeLater = image !== undefined || (release !== undefined && 'command' in release);
  const server = { copied, mayComeLater };
  if (start !== undefined) {
    const mistake =
      (await programMistake(start.split(/\s/u)[0] ?? '', server)) ??
      (await scriptMistake(start, `/opt/${service.name}`, server));
    if (mistake !== null) throw refuse(['start'], mistake.what, mistake.hint);
  }
  if (unit === undefined) return;
  const path = pathOf(unit);
  const text = await readWrittenFile(path, path, 'unit');
  const { program = '', command = '', line = 1 } = programOf(text) ?? {};
  const mistake = (await programMistake(program, server)) ?? (await scriptMistake(command, null, server));
  if (mistake !== null) throw textError(path, { line, what: `ExecStart=: ${mistake.what}`, hint: mistake.hint });
  if (mayComeLater) return;
  // Debian's own lie in /etc/default.
  const absent = neededEnvOf(text).find(
    ({ path: needed }) => !needed.startsWith('/etc/default/') && !copied.some(({ to }) => isWithin(needed, to)),
  );
  if (absent === undefined) return;
  const hint = `Put it there with files: [{ from: …, to: ${absent.path} }].`;
  throw textError(path, { line: absent.line, what: `EnvironmentFile=: ${absent.path} is not on the server`, hint });
}

/** The name that systemd knows a unit by; empty where there is none. */
function unitNameOf(kind: 'unit' | 'socket', path: string | undefined, refuse: Refuse): string {
  if (path === undefined) return '';
  const ending = kind === 'unit' ? '.service' : '.socket';
  const name = basename(path);
  if (!name.endsWith(ending)) throw refuse([kind], `must be named NAME${ending}, not ${name}`);
  if (name.includes('@')) throw refuse([kind], `${name} is a template: name the unit of one service, without @`);
  if (!/^[\w:.-]+$/u.test(name) || name === ending) throw refuse([kind], `${name} is no name of a unit`);
  return name;
}
