/** Reads what is written to a log from now on, wherever the log is moved meanwhile. */
import { open, stat, type FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { HarnessError, messageOf } from '../../../base/errors.ts';

const mostAtOnce = 4 * 1024 * 1024;
/** A longer line is of no access log. */
const mostLineLength = 256 * 1024;

interface Part {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly decoder: StringDecoder;
  position: number;
  /** A line whose end is not there yet. */
  rest: string;
}

/** A log, from its end on. */
export class LogTail {
  readonly path: string;
  /** How often another file took its place. */
  replaced = 0;
  /** When it was emptied in place: between the two, lines may have been lost. */
  readonly emptied: { readonly fromUs: number; readonly toUs: number }[] = [];
  private readonly parts: Part[];
  private lastReadUs: number;

  private constructor(path: string, first: Part, nowUs: number) {
    this.path = path;
    this.parts = [first];
    this.lastReadUs = nowUs;
  }

  /** @throws {HarnessError} `witness-unreadable`, saying what to do */
  static async open(path: string, nowUs: number): Promise<LogTail> {
    try {
      const part = await partAt(path, 'end');
      if (part !== null) return new LogTail(path, part, nowUs);
    } catch (cause) {
      throw unreadable(path, messageOf(cause), cause);
    }
    throw unreadable(path, 'it is no plain file');
  }

  /** The lines that were written since the last call; to be called often, or what an emptied file held is lost. */
  async read(nowUs: number): Promise<string[]> {
    const lines: string[] = [];
    for (const part of this.parts) await this.readPart(part, lines, nowUs);
    // What came to the old file until now has been read; who still has it open may write more.
    const next = await this.nextPart();
    if (next !== null) await this.readPart(next, lines, nowUs);
    this.lastReadUs = nowUs;
    return lines;
  }

  async close(): Promise<void> {
    for (const { handle } of this.parts) await handle.close().catch(() => undefined);
  }

  /** The file that has taken the log's place; null while none has. */
  private async nextPart(): Promise<Part | null> {
    const now = await stat(this.path).catch(() => null);
    if (now === null || this.parts.some(({ inode }) => inode === now.ino)) return null;
    const next = await partAt(this.path, 'begin').catch(() => null);
    if (next === null) return null;
    this.replaced++;
    this.parts.push(next);
    return next;
  }

  private async readPart(part: Part, lines: string[], nowUs: number): Promise<void> {
    const { size } = await part.handle.stat();
    if (size < part.position) {
      this.emptied.push({ fromUs: this.lastReadUs, toUs: nowUs });
      part.position = 0;
      part.rest = '';
    }
    while (part.position < size) {
      const chunk = Buffer.allocUnsafe(Math.min(mostAtOnce, size - part.position));
      const { bytesRead } = await part.handle.read(chunk, 0, chunk.length, part.position);
      if (bytesRead === 0) return;
      part.position += bytesRead;
      let text = part.decoder.write(chunk.subarray(0, bytesRead));
      // Who does not append, writes on at the old place of an emptied file: before it is a hole.
      const hole = text.lastIndexOf('\0');
      if (hole >= 0) {
        this.emptied.push({ fromUs: this.lastReadUs, toUs: nowUs });
        text = text.slice(hole + 1);
        part.rest = '';
      }
      const pieces = `${part.rest}${text}`.split('\n');
      part.rest = (pieces.pop() ?? '').slice(-mostLineLength);
      for (const piece of pieces) if (piece !== '') lines.push(piece);
    }
  }
}

async function partAt(path: string, from: 'begin' | 'end'): Promise<Part | null> {
  // Looked at first: to open a pipe may wait for ever.
  if (!(await stat(path)).isFile()) return null;
  const handle = await open(path, 'r');
  const { ino, size } = await handle.stat();
  return { handle, inode: ino, decoder: new StringDecoder('utf8'), position: from === 'end' ? size : 0, rest: '' };
}

function unreadable(path: string, why: string, cause?: unknown): HarnessError {
  const hint =
    'It takes a file that this user may read. A log that goes to syslog or a journal must be written to a file, too.';
  return new HarnessError('witness-unreadable', `--access-log ${path} cannot be used: ${why}.`, { hint, cause });
}
