/** Would the server find the program that a service starts, and could it run it? */
import { constants } from 'node:fs';
import { open, readlink, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { didYouMean } from '../base/nearest.ts';

/** What is copied, and the path on the server that it is then found at. */
export interface Copied {
  /** As it was written. */
  readonly from: string;
  /** Absolute, on this machine. */
  readonly source: string;
  readonly to: string;
}

/** What is wrong with the program, as the end of a sentence. */
export interface ProgramMistake {
  readonly what: string;
  readonly hint?: string | undefined;
}

/** Nothing but what is copied lies there, but for the lab's own programs. */
const ownPlaces = /^\/(?:opt|srv|home|usr\/local)\//u;
const labPrograms = ['/usr/local/bin/node', '/usr/local/bin/traefik'];
const anywhere = /^\/(?:usr|bin|sbin|lib|lib64)\//u;

/** Where a program is looked for. */
interface Server {
  readonly copied: readonly Copied[];
  /** Something else, such as a release or an image, may bring files of its own. */
  readonly mayComeLater: boolean;
}

/** What is wrong with the program of a command line. */
export async function programMistake(program: string, server: Server): Promise<ProgramMistake | null> {
  return await pathMistake(program.replace(/^(["'])(.*)\1$/u, '$2'), server, fileMistake);
}

/** Programs that run the script that is their first word. */
const interpreter = /(?:^|\/)(?:node|nodejs|python[\d.]*|ruby|perl|php|sh|bash)$/u;
const script = /\.(?:[cm]?[jt]s|py|rb|pl|php|sh)$/u;

/**
 * What is wrong with the script that a command line has run: `node index.js`.
 * @param folder in which it runs; null where that is not known
 */
export async function scriptMistake(
  command: string,
  folder: string | null,
  server: Server,
): Promise<ProgramMistake | null> {
  const [program = '', ...words] = command.split(/\s+/u);
  const word = words.find((one) => script.test(one)) ?? '';
  if (!interpreter.test(program) || word === '' || word.startsWith('-')) return null;
  if (folder === null && !word.startsWith('/')) return null;
  return await pathMistake(posix.resolve(folder ?? '/', word), server, scriptFileMistake);
}

async function scriptFileMistake(path: string, name: string): Promise<ProgramMistake | null> {
  return (await stat(path).catch(() => null)) === null ? { what: `${name} does not exist` } : null;
}

/** What is wrong with a path of the server: by `mistakeOf` where it is copied. */
async function pathMistake(
  path: string,
  { copied, mayComeLater }: Server,
  mistakeOf: typeof fileMistake,
): Promise<ProgramMistake | null> {
  if (!/^\/[^%$\\{"']*$/u.test(path)) return null;
  const own = copied.filter(({ to }) => isWithin(path, to));
  if (own.length === 0) {
    if (mayComeLater || !ownPlaces.test(path) || labPrograms.includes(path)) return null;
    const places = copied.map(({ to }) => to);
    const has = places.length === 0 ? 'there are no files' : `files puts ${places.slice(0, 5).join(', ')} there`;
    return { what: `${path} is not on the server: ${has}`, hint: didYouMean(path, places).trim() || undefined };
  }
  for (const { from, source, to } of own) {
    const below = path.slice(to.length + 1);
    const mistake = await mistakeOf(join(source, below), below === '' ? from : join(from, below), copied);
    if (mistake !== null) return mistake;
  }
  return null;
}

/** Is it this file or folder, or below it? */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

async function fileMistake(path: string, name: string, copied: readonly Copied[]): Promise<ProgramMistake | null> {
  // An absolute link leads to what the server has, whatever this machine has there.
  if ((await readlink(path).catch(() => '')).startsWith('/')) return null;
  const found = await stat(path).catch(() => null);
  if (found === null) return { what: `${name} does not exist` };
  if (!found.isFile()) return { what: `${name} is a folder, and no program` };
  if ((found.mode & constants.S_IXUSR) === 0) {
    return { what: `${name} may not be executed`, hint: `chmod +x ${name}` };
  }
  return startMistake(await firstBytes(path), name, copied);
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What the kernel would make of its first bytes. */
function startMistake(bytes: Buffer, name: string, copied: readonly Copied[]): ProgramMistake | null {
  const hint = 'Build it for Linux, such as GOOS=linux go build.';
  if (/^(?:cffaedfe|cefaedfe|cafebabe)/u.test(bytes.toString('hex')))
    return { what: `${name} is built for macOS`, hint };
  if (bytes.toString('latin1').startsWith('MZ')) return { what: `${name} is built for Windows`, hint };
  const [, interpreter = '/usr/bin/'] = /^#!\s*(\S+)/u.exec(bytes.toString('utf8')) ?? [];
  if (anywhere.test(interpreter) && !interpreter.startsWith('/usr/local/')) return null;
  if (labPrograms.includes(interpreter) || copied.some(({ to }) => isWithin(interpreter, to))) return null;
  return {
    what: `${name} begins with #!${interpreter}, which is not on the server`,
    hint: 'A virtual environment works only at the path that it was made for: copy it to that, or start its python3 -m …',
  };
}
