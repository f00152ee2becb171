/** The user's files as they are copied onto the server: what stands in a folder, and a hash over all of it. */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { whyUnreadable } from '../gate/files/written-file.ts';

/** Something that is copied. */
interface OwnFile {
  /** Below what was named, with slashes; empty for that itself. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Where it lies on this machine. */
  readonly source: string;
  readonly isExecutable: boolean;
  /** Of a file. */
  readonly bytes: number;
  /** Of a link: it is copied as a link. */
  readonly target: string;
}

/** More than this is the wrong folder. */
const mostBytes = 2 ** 30;
const mostFiles = 200_000;

/** A file or folder that was named, and how to refuse it. */
export interface NamedFile {
  /** Absolute. */
  readonly source: string;
  /** As it was written. */
  readonly name: string;
  /** Says what is wrong with it, as the end of a sentence. */
  readonly refuse: (what: string, hint?: string) => Error;
}

/**
 * A file, or a folder with all below it, in an order of its own: the same on every machine. A link that was named is
 * followed; those below it are not.
 * @throws what `refuse` makes of something that cannot be read, or copied
 */
async function ownFilesOf({ source, name, refuse }: NamedFile): Promise<OwnFile[]> {
  const unreadable = (path: string) => (cause: unknown) => {
    throw refuse(`${shownPath(name, path)} ${whyUnreadable(cause)}`);
  };
  const top = await realpath(source).catch(unreadable(''));
  const files: OwnFile[] = [];
  const visit = async (path: string): Promise<void> => {
    const at = path === '' ? top : join(top, path);
    const found = await lstat(at).catch(unreadable(path));
    const isExecutable = (found.mode & constants.S_IXUSR) !== 0;
    const common = { path, source: at, isExecutable, bytes: 0, target: '' };
    if (found.isSymbolicLink()) {
      const target = await readlink(at).catch(unreadable(path));
      files.push({ ...common, kind: 'link', target });
    } else if (found.isDirectory()) {
      files.push({ ...common, kind: 'folder' });
      const names = await readdir(at).catch(unreadable(path));
      for (const below of names.sort()) await visit(path === '' ? below : `${path}/${below}`);
    } else if (found.isFile()) {
      files.push({ ...common, kind: 'file', bytes: found.size });
    } else throw refuse(`${shownPath(name, path)} is a pipe, a socket or a device: only files can be copied`);
    if (files.length > mostFiles) throw refuse(`${name} holds more than ${mostFiles} files`, leaveOut);
  };
  await visit('');
  return files;
}

const leaveOut = 'Name what the service needs to run, and leave out what it is built from.';

function shownPath(name: string, path: string): string {
  return path === '' ? name : `${name.replace(/\/$/u, '')}/${path}`;
}

/**
 * SHA-256 over paths, the right to execute, and bytes.
 * @param folder that the paths begin at
 */
export async function contentsOf(named: readonly NamedFile[], folder: string): Promise<string> {
  const all: { of: NamedFile; file: OwnFile; key: string }[] = [];
  let bytes = 0;
  for (const of of named) {
    for (const file of await ownFilesOf(of)) {
      bytes += file.bytes;
      if (bytes > mostBytes) throw of.refuse('with this, what is copied is more than 1 GiB', leaveOut);
      all.push({ of, file, key: `${relative(folder, of.source)}\n${file.path}` });
    }
  }
  const tops = all.filter(({ file }) => file.path === '').map(({ file }) => file.source);
  for (const { of, file } of all) refuseLeading(file, of, tops);
  const hash = createHash('sha256');
  for (const { of, file, key } of all.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))) {
    hash.update(`${JSON.stringify([key, file.kind, file.isExecutable, file.bytes, file.target])}\n`);
    if (file.kind !== 'file') continue;
    await addBytes(hash, file.source).catch((cause: unknown) => {
      throw of.refuse(`${shownPath(of.name, file.path)} ${whyUnreadable(cause)}`);
    });
  }
  return hash.digest('hex');
}

/** What Debian has where a link may lead to. */
const onServer = /^\/(?:usr\/(?!local\/)|usr\/local\/bin\/node$|(?:bin|sbin|lib|lib64|etc|dev|proc|run|var|tmp)\/)/u;

/** A link to a file of this machine that is not copied leads nowhere on the server. */
function refuseLeading({ kind, target, path, source }: OwnFile, of: NamedFile, copied: readonly string[]): void {
  if (kind !== 'link' || onServer.test(target)) return;
  const to = resolve(dirname(source), target);
  const isAbsolute = target.startsWith('/');
  if (!isAbsolute && copied.some((top) => to === top || to.startsWith(`${top}${sep}`))) return;
  throw of.refuse(
    `${shownPath(of.name, path)} is a link to ${target}, which is not ${isAbsolute ? 'on the server' : 'copied'}`,
    'Put what it leads to in place of the link; a virtual environment needs the python3 of Debian.',
  );
}

async function addBytes(hash: Hash, path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  for await (const part of file.createReadStream({ highWaterMark: 2 ** 20 })) hash.update(part as Buffer);
}
