/**
 * The folder of a run while it goes on. run.json is there before the first request, and says that the run did not end
 * until it has: whatever happens, the folder holds a run that can be judged.
 */
import { appendFile, mkdir, open, rename, rm, statfs, unlink, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { HarnessError, messageOf } from '../base/errors.ts';
import { runFiles } from '../run/run-folder.ts';
import type { RunRecord } from '../run/run-record.ts';

/** What run.json says until the run has ended. */
const notEnded = 'The run did not end: the process that conducted it was killed, or lost its machine.';

/** Bytes of a row in the raw ledger, at most. */
export const rowBytes = 450;
const pieceBytes = 1024 * 1024;

/** What run.json says of every run before it has begun. */
export function newRecord<T extends Pick<RunRecord, 'runId' | 'seed' | 'command' | 'fingerprint'>>(asked: T) {
  return {
    schema: 1 as const,
    ...asked,
    startedAt: new Date().toISOString(),
    originMonotonicUs: null,
    wallOffsetUs: null,
    durationMs: 0,
    aborted: null,
    unfinished: 0,
    troubles: [],
  };
}

/** Records as lines of JSON. */
export function ndjson(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Writes the files of one run. */
export class RunWriter<R extends RunRecord> {
  readonly folder: string;
  private known: R;
  /** A file without a name that holds disk space for the records; null once that is given back. */
  private reserve: FileHandle | null = null;
  /** run.json is replaced by one write after another. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, record: R) {
    this.folder = folder;
    this.known = { ...record, aborted: notEnded };
  }

  /**
   * Makes the folder, with the run.json of a run that did not end.
   * @param reserveBytes disk space to hold for the records, so that a disk that others fill does not cost what was measured
   * @throws {HarnessError} when there is no room for it; nothing is left then
   */
  static async begin<R extends RunRecord>(folder: string, record: R, reserveBytes: number): Promise<RunWriter<R>> {
    const writer = new RunWriter(folder, record);
    try {
      await mkdir(folder, { recursive: true });
      await writer.hold(reserveBytes);
      await writer.know({});
      return writer;
    } catch (error) {
      await writer.discard().catch(() => undefined);
      throw writer.failedWrite(error);
    }
  }

  get record(): R {
    return this.known;
  }

  /** Puts what has become known into run.json. */
  async know(known: Partial<R>): Promise<void> {
    this.known = { ...this.known, ...known };
    const written = this.writing.then(() => this.write(() => writeRecord(this.folder, this.known)));
    this.writing = written.catch(() => undefined);
    await written;
  }

  /** Writes a file of the run; one whose name ends in .gz is zipped. */
  async text(name: string, content: string): Promise<void> {
    const path = join(this.folder, name);
    await this.write(async () => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, name.endsWith('.gz') ? gzipSync(content) : content);
    });
  }

  async append(name: string, lines: string): Promise<void> {
    await this.write(() => appendFile(join(this.folder, name), lines));
  }

  /**
   * Does a step that writes into the folder; where the disk is full, gives the reserve back and does the step again.
   * @throws {HarnessError} `disk-full` when that does not help; what else the step throws
   */
  async withReserve<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      if (!(await this.release())) throw this.failedWrite(error);
    }
    return await step().catch((error: unknown) => {
      throw isDiskFull(error) ? this.failedWrite(error) : error;
    });
  }

  /** Was the disk full already, or would the rows of this time not find room? The reserve counts as none. */
  async isNearlyFull(ratePerSecond: number, seconds: number): Promise<boolean> {
    if (this.reserve === null) return true;
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize < ratePerSecond * rowBytes * seconds;
  }

  /**
   * Gives the reserve back, for the next write.
   * @returns was it still held?
   */
  async release(): Promise<boolean> {
    const { reserve } = this;
    this.reserve = null;
    await reserve?.close();
    return reserve !== null;
  }

  /** Takes the folder away: nothing was measured. */
  async discard(): Promise<void> {
    await this.release();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async hold(bytes: number): Promise<void> {
    const path = join(this.folder, 'reserve');
    this.reserve = await open(path, 'wx');
    await unlink(path);
    const piece = Buffer.alloc(pieceBytes);
    for (let left = bytes; left > 0; left -= pieceBytes) await this.reserve.write(piece, 0, Math.min(left, pieceBytes));
  }

  private async write(step: () => Promise<void>): Promise<void> {
    try {
      await this.withReserve(step);
    } catch (error) {
      throw this.failedWrite(error);
    }
  }

  private failedWrite(cause: unknown): HarnessError {
    if (cause instanceof HarnessError) return cause;
    const { folder } = this;
    const isFull = isDiskFull(cause);
    const code = isFull ? 'disk-full' : 'run-not-written';
    const message = isFull
      ? `The disk of ${folder} is full.`
      : `The run's files could not be written: ${messageOf(cause)}.`;
    const hasRows = this.known.originMonotonicUs !== null;
    const hint = `${isFull ? 'Make room' : 'Make it writable'}, then \`verdict ${folder}\` judges what was settled.`;
    return new HarnessError(code, message, { cause, hint: hasRows ? hint : undefined });
  }
}

/** Writes run.json, which is replaced whole or not at all. */
export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  const next = join(folder, runFiles.nextRun);
  await writeFile(next, `${JSON.stringify(record, null, 2)}\n`);
  await rename(next, join(folder, runFiles.run));
}

function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
