/** The files of a project that tell what its service is: a bounded number of small ones, and none from outside its folder. */
import { constants } from 'node:fs';
import { open, opendir, readdir, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { HarnessError, messageOf } from '../base/errors.ts';

/** A file of the project. */
export interface ProjectFile {
  /** From the folder on, with slashes. */
  readonly path: string;
  readonly lines: readonly string[];
}

/** What was read of the folder. */
export interface Folder {
  readonly name: string;
  /** What configures before what is source, and of each the nearest first. */
  readonly files: readonly ProjectFile[];
  /** Names that stand in the folder itself. */
  readonly names: ReadonlySet<string>;
  /** Files that were not read, and why. */
  readonly unread: readonly string[];
}

const mostFolders = 500;
const mostEntries = 5_000;
const mostFiles = 400;
const mostDepth = 6;
const mostBytesOfFile = 262_144;
const mostBytes = 8 * 2 ** 20;
/** Nobody writes longer lines by hand, and patterns are slow on them. */
const mostLetters = 1_000;

/** Says where the project is kept; in a worktree it lies elsewhere. */
const gitConfig = '.git/config';
const plain =
  /^(?:go\.mod|package\.json|pyproject\.toml|requirements\.txt|\.env|Dockerfile|Makefile|Procfile|(?:docker-)?compose\.ya?ml|(?:ecosystem|pm2)\..+|.+\.(?:service|socket|timer|sh))$/u;
const source = /\.(?:go|[cm]?[jt]s|py|rb|java|kt|rs)$/u;
const skippedFolder =
  /^(?:\..+|node_modules|vendor|dist|build|target|coverage|venv|__pycache__|testdata|tests?|fixtures|examples?|docs?)$/u;
const skippedFile = /(?:[._-](?:test|spec)|\.d|\.min|^conftest|^test_.*)\.\w+$/u;

/**
 * Reads it.
 * @throws {HarnessError} when it is no folder that can be read
 */
export async function readFolder(root: string): Promise<Folder> {
  const real = await realpath(root).catch(refuse(root));
  const names = new Set(await readdir(real).catch(refuse(root)));
  const folders = [''];
  const paths: { plain: string[]; source: string[] } = { plain: [gitConfig], source: [] };
  const left = { entries: mostEntries };
  for (const at of folders) {
    for (const entry of await entriesOf(join(real, at), left)) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      const isNear = path.split('/').length < mostDepth && folders.length < mostFolders;
      if (entry.isDirectory()) {
        if (isNear && !skippedFolder.test(entry.name)) folders.push(path);
      } else if (plain.test(entry.name)) paths.plain.push(path);
      else if (source.test(entry.name) && !skippedFile.test(entry.name)) paths.source.push(path);
    }
  }
  const files: ProjectFile[] = [];
  const unread: string[] = [];
  let bytes = mostBytes;
  for (const path of [...paths.plain, ...paths.source].slice(0, mostFiles)) {
    const text = await textOf(real, path).catch((error: unknown) => {
      if (path !== gitConfig) unread.push(`${path}: ${messageOf(error)}`);
      return '';
    });
    bytes -= text.length;
    if (bytes < 0) break;
    if (text !== '') files.push({ path, lines: text.split(/\r?\n/u).map((line) => line.slice(0, mostLetters)) });
  }
  return { name: basename(real), files, names, unread };
}

async function entriesOf(folder: string, left: { entries: number }) {
  const entries = [];
  const stream = await opendir(folder).catch(() => null);
  if (stream === null) return [];
  for await (const entry of stream) {
    if (--left.entries < 0) break;
    entries.push(entry);
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Its first bytes as text. A link may lead to another file of the folder. */
async function textOf(root: string, path: string): Promise<string> {
  const real = await realpath(join(root, path));
  if (!real.startsWith(`${root}${sep}`)) throw new Error('a link that leads out of the folder');
  // A named pipe would be waited for without end.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('no plain file');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytesOfFile), 0, mostBytesOfFile, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function refuse(folder: string): (cause: unknown) => never {
  return (cause) => {
    throw new HarnessError('folder-unusable', `${folder} is no folder that can be read: ${messageOf(cause)}`, {
      cause,
    });
  };
}
