/**
 * The only place that opens a file of a run, a gate or a baseline. Such files come from anybody: a link, a pipe, a device
 * or a file larger than asked for is refused before a byte is read.
 */
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { z } from 'zod';
import { HarnessError, messageOf, type ErrorCode } from '../base/errors.ts';
import { shownLine } from '../base/foreign-text.ts';
import { firstIssueOf } from '../base/issue-text.ts';

/** The largest text that is read in one piece. */
export const mostTextBytes = 64 * 1024 * 1024;
/** The largest file of any kind. */
export const mostFileBytes = 8 * 1024 * 1024 * 1024;
/** The longest line of any file. */
export const mostLineBytes = 4 * 1024 * 1024;
/** How deep a JSON value may nest; ours nest seven deep. */
const mostDepth = 32;

const readBytes = 256 * 1024;
/** Do not follow a link at the end of the path, and do not wait for the writer of a pipe. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file, as it was seen when its folder was listed. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/**
 * Opens a plain file for reading.
 * @param seen refuses another file that has taken its place since
 * @throws {HarnessError} `run-damaged` when it is missing, `run-refused` when it is not plain or too large
 */
export async function openPlainFile(path: string, mostBytes = mostFileBytes, seen?: FileIdentity): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, flags);
  } catch (cause) {
    throw cannotOpen(path, cause);
  }
  try {
    const found = await file.stat();
    const { size, dev, ino } = found;
    if (!found.isFile()) throw refused(`${path} is not a plain file`);
    if (size > mostBytes) throw refused(`${path} has ${size} bytes, and may have ${mostBytes}`);
    if (seen !== undefined && (seen.dev !== dev || seen.ino !== ino)) {
      throw refused(`${path} was replaced while the run was read`);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The content in pieces. Each piece is new, so it may be kept. */
export async function* plainPieces(path: string, mostBytes = mostFileBytes): AsyncGenerator<Buffer> {
  const file = await openPlainFile(path, mostBytes);
  try {
    for (let total = 0; ;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(readBytes));
      if (bytesRead === 0) return;
      total += bytesRead;
      if (total > mostBytes) throw refused(`${path} grew beyond ${mostBytes} bytes while it was read`);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * The whole text.
 * @throws {HarnessError} when the file is missing, not plain, too large, or not UTF-8 text
 */
export async function plainText(path: string, mostBytes = mostTextBytes): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of plainPieces(path, mostBytes)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const fault = textFault(bytes);
  if (fault !== null) throw new HarnessError('run-damaged', `${path} ${fault}.`);
  return bytes.toString('utf8');
}

/** What keeps these bytes from being text; null where they are. Whole lines only: a character must not be cut. */
export function textFault(bytes: Buffer): string | null {
  if (!isUtf8(bytes)) return 'holds bytes that are not UTF-8 text';
  return bytes.includes(0) ? 'holds a NUL byte' : null;
}

/**
 * JSON of this form.
 * @param what the file is called in the refusal, as in "is not a …"
 * @throws {HarnessError} in one sentence naming the file, with this code where the content is wrong
 */
export async function plainJson<T>(
  path: string,
  schema: z.ZodType<T>,
  {
    what,
    code = 'run-damaged',
    hint,
    mostBytes,
  }: Readonly<{ what: string; code?: ErrorCode; hint?: string; mostBytes?: number }>,
): Promise<T> {
  const text = await plainText(path, mostBytes);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw new HarnessError(code, `${path} is not a ${what}: ${oneLine(messageOf(cause))}.`, { hint, cause });
  }
  const { data, error } = schema.safeParse(json);
  if (error === undefined) return data;
  throw new HarnessError(code, `${path} is not a ${what} that this version reads: ${oneLine(firstIssueOf(error))}.`, {
    hint,
    cause: error,
  });
}

/**
 * JSON.parse with a bound on the nesting: what walks the value later is recursive.
 * @throws {SyntaxError} when it is no JSON or nests too deep
 */
export function parseJson(text: string): unknown {
  if (nestsTooDeep(text)) throw new SyntaxError(`it nests deeper than ${mostDepth} levels`);
  return JSON.parse(text);
}

/** Counts brackets outside of strings; a text that is no JSON may count wrong, and is refused by JSON.parse. */
function nestsTooDeep(text: string): boolean {
  // Nearly every line of a run has so few brackets that it cannot; to look at each of its characters takes as long as to parse it.
  if (timesIn(text, '{') + timesIn(text, '[') <= mostDepth) return false;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') isInString = !isInString;
    else if (isInString) at += sign === '\\' ? 1 : 0;
    else if (sign === '[' || sign === '{') {
      if (++depth > mostDepth) return true;
    } else if (sign === ']' || sign === '}') depth--;
  }
  return false;
}

/** How often the sign is there, as far as it matters for the depth. */
function timesIn(text: string, sign: string): number {
  let times = 0;
  for (let at = text.indexOf(sign); at >= 0 && times <= mostDepth; at = text.indexOf(sign, at + 1)) times++;
  return times;
}

/** A message in one line of some length: parsers quote what they met, line breaks included. */
export function oneLine(message: string): string {
  return shownLine(message.slice(0, mostMessage)).replace(/\.$/u, '');
}

const mostMessage = 500;

/** A refusal: the file is not what a run may hold. */
export function refused(what: string, cause?: unknown): HarnessError {
  return new HarnessError('run-refused', `${what}.`, { cause });
}

function cannotOpen(path: string, cause: unknown): HarnessError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new HarnessError('run-damaged', `${path} is missing.`, { cause });
  if (code === 'ELOOP') return refused(`${path} is a link, and a run holds none`, cause);
  // A socket, or a pipe or device without its other end.
  if (code === 'ENXIO') return refused(`${path} is not a plain file`, cause);
  return new HarnessError('run-damaged', `${path} cannot be opened: ${oneLine(messageOf(cause))}.`, { cause });
}
