/** The files that a service.yaml names: are they there, and would those that are used as they are work? */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, isAbsolute, resolve } from 'node:path';
import { readWrittenFile, whyUnreadable } from '../gate/files/written-file.ts';
import { usageError } from '../gate/refusals.ts';
import type { NamedFile } from './own-files.ts';
import type { WrittenService } from './told-service.ts';
import { programMistake, type Copied } from './program-check.ts';
import { proxyMistake } from './proxy-text.ts';
import { envMistake, neededEnvOf, programOf, socketMistake, unitMistake, type TextMistake } from './unit-text.ts';

type Path = readonly (string | number)[];

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
  const { files, unit, socket, env, proxy, release } = service;
  return [
    ...files.flatMap((file, index) =>
      typeof file === 'string'
        ? named('any', ['files', index], file)
        : named('any', ['files', index, 'from'], file.from),
    ),
    ...named('file', ['unit'], unit),
    ...named('file', ['socket'], socket),
    ...named('file', ['env'], env),
    ...named('file', ['proxy'], proxy),
    ...(release !== undefined && 'folders' in release
      ? release.folders.flatMap((name, index) => named('folder', ['release', 'folders', index], name))
      : []),
  ];
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
export function destinationsOf(
  { name, files, release }: WrittenService,
  folder: string,
  refuse: Refuse,
): Destination[] {
  const taken = new Map<string, string>();
  if (release !== undefined && 'link' in release) taken.set(release.link, 'release.link');
  if (release !== undefined && 'link' in release) refuseTwinFolders(release.folders, refuse);
  return files.map((file, index) => {
    const { from, to }: { from: string; to?: string | undefined } = typeof file === 'string' ? { from: file } : file;
    const path = to ?? `/opt/${name}/${basename(resolve(folder, from))}`;
    const other = taken.get(path);
    if (other !== undefined)
      throw refuse(['files', index], `goes to ${path}, as ${other} does`, 'Say where: { from: …, to: … }');
    taken.set(path, `files.${index}`);
    return { from, to: path };
  });
}

/** Each folder of a release keeps its own name on the server. */
function refuseTwinFolders(folders: readonly string[], refuse: Refuse): void {
  const names = folders.map((folder) => basename(folder));
  const twin = folders.findIndex((folder, index) => folders[names.indexOf(basename(folder))] !== folder && index > 0);
  if (twin < 0) return;
  const first = names.indexOf(names[twin] ?? '');
  throw refuse(
    ['release', 'folders', twin],
    `is called ${names[twin] ?? ''}, as ${folders[first] ?? ''} is: rename one`,
  );
}

/**
 * Refuses a unit, a socket unit, a file of variables or one of the proxy that would surely not work.
 * @param pathOf where a file lies that is not named by an absolute path
 */
export async function refuseUnusable(
  service: WrittenService,
  pathOf: (name: string) => string,
  refuse: Refuse,
): Promise<void> {
  const { start = '', unit, socket, env, proxy, host = `${service.name}.test` } = service;
  const [program = ''] = start.split(/\s/u);
  if (program.includes('/') && !/^["']?\//u.test(program)) {
    throw refuse(['start'], `takes an absolute path or a plain name, not ${program}`, `Such as /opt/${service.name}/…`);
  }
  const unitName = unit === undefined ? '' : unitNameOf('unit', unit, refuse);
  const socketName = socket === undefined ? '' : unitNameOf('socket', socket, refuse);
  if (proxy !== undefined && !/\.(ya?ml|toml)$/u.test(proxy)) {
    throw refuse(['proxy'], `${proxy} must end in .yml, .yaml or .toml: Traefik reads no other`);
  }
  const address = service.public;
  await refuseText(unit, 'unit', unitMistake);
  await refuseText(socket, 'socket unit', (text) =>
    socketMistake(text, { socket: socketName, unit: unitName, address }),
  );
  await refuseText(env, 'file of variables', envMistake);
  await refuseText(proxy, 'file of the proxy', (text, path) => proxyMistake(text, path, { address, host }));

  async function refuseText(
    name: string | undefined,
    what: string,
    mistakeIn: (text: string, path: string) => TextMistake | null,
  ): Promise<void> {
    if (name === undefined) return;
    const path = isAbsolute(name) ? name : pathOf(name);
    const mistake = mistakeIn(await readWrittenFile(path, path, what), path);
    if (mistake !== null)
      throw usageError(`${path}:${mistake.line}:${mistake.column ?? 1}: ${mistake.what}.`, mistake.hint ?? unitHint);
  }
}

/** Refuses a service whose program, or a file that its unit needs, is surely not on the server. */
export async function refuseAbsent(
  service: Omit<WrittenService, 'files'> & { readonly files: readonly Destination[] },
  { folder, pathOf }: { folder: string; pathOf: (name: string) => string },
  refuse: Refuse,
): Promise<void> {
  const { files, release, start, unit, image } = service;
  const copied = files.map(({ from, to }): Copied => ({ from, to, source: resolve(folder, from) }));
  if (release !== undefined && 'link' in release) {
    copied.push(...release.folders.map((from) => ({ from, to: release.link, source: resolve(folder, from) })));
  }
  const mayComeLater = image !== undefined || (release !== undefined && 'command' in release);
  if (start !== undefined) {
    const mistake = await programMistake(start.split(/\s/u)[0] ?? '', copied, mayComeLater);
    if (mistake !== null) throw refuse(['start'], mistake.what, mistake.hint);
  }
  if (unit === undefined) return;
  const path = isAbsolute(unit) ? unit : pathOf(unit);
  const text = await readWrittenFile(path, path, 'unit');
  const { program = '', line = 1 } = programOf(text) ?? {};
  const mistake = await programMistake(program, copied, mayComeLater);
  if (mistake !== null) throw usageError(`${path}:${line}:1: ExecStart=: ${mistake.what}.`, mistake.hint ?? unitHint);
  // Debian's own lie in /etc/default.
  const absent = neededEnvOf(text).find(
    (each) =>
      !mayComeLater &&
      !each.path.startsWith('/etc/default/') &&
      !copied.some(({ to }) => each.path === to || each.path.startsWith(`${to}/`)),
  );
  if (absent !== undefined) {
    throw usageError(
      `${path}:${absent.line}:1: EnvironmentFile=: ${absent.path} is not on the server.`,
      `Put it there with files: [{ from: …, to: ${absent.path} }].`,
    );
  }
}

const unitHint = 'It is used as it is: correct it there.';

/** The name that systemd knows a unit by. */
function unitNameOf(kind: 'unit' | 'socket', path: string, refuse: Refuse): string {
  const ending = kind === 'unit' ? '.service' : '.socket';
  const name = basename(path);
  if (!name.endsWith(ending)) throw refuse([kind], `must be named NAME${ending}, not ${name}`);
  if (name.includes('@')) throw refuse([kind], `${name} is a template: name the unit of one service, without @`);
  if (!/^[\w:.-]+$/u.test(name) || name === ending) throw refuse([kind], `${name} is no name of a unit`);
  return name;
}
