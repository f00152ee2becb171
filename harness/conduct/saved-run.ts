/**
 * The folder of a run while it goes on. run.json is there before the first request, and says that the run did not end
 * until it has: whatever happens, the folder holds a run that can be judged.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { despiteFullDisk, holdReserve, type Reserve } from './reserve.ts';

/** What run.json says until the run has ended. */
const notEnded = 'The run did not come to its end: the process that conducted it was killed, or lost its machine.';

/** What a verdict reads of every run; a witness of which nothing was recorded is an empty file. */
const readOfEvery: readonly string[] = [
  runFiles.timeline,
  runFiles.deployer,
  runFiles.engineEvents,
  runFiles.journal,
  runFiles.kernel,
  runFiles.queues,
  runFiles.requestLog,
];
const readOfProxied: readonly string[] = [runFiles.accessLog, runFiles.proxyLog];

/** Bytes of a row in the raw ledger, and of everything else that a run writes before its verdict. */
const rowBytes = 450;
const otherBytes = 4 * 1024 * 1024;

/** The folder of a run that goes on. */
export class SavedRun {
  readonly folder: string;
  readonly reserve: Reserve;
  /** As it was asked for. */
  readonly run: ExperimentRun;
  private hasBegun = false;
  private records = 0;

  private constructor(folder: string, run: ExperimentRun, reserve: Reserve) {
    this.folder = folder;
    this.run = run;
    this.reserve = reserve;
  }

  /** Is there something to lose? */
  get isUnderWay(): boolean {
    return this.hasBegun;
  }

  /**
   * Makes the folder, with a run.json of a run that did not end.
   * @throws {Error} ENOSPC when the disk has no room for the run
   */
  static async begin(folder: string, run: ExperimentRun): Promise<SavedRun> {
    await mkdir(join(folder, runFiles.witnesses), { recursive: true });
    const slots = (run.durationMs * run.experiment.load.ratePerSecond) / 1000;
    const saved = new SavedRun(folder, run, await holdReserve(folder, otherBytes + slots * rowBytes));
    await saved.record({ aborted: notEnded });
    const files = [...readOfEvery, ...(run.experiment.proxy.kind === 'none' ? [] : readOfProxied)];
    for (const name of files) await saved.text(name, name === runFiles.kernel ? '{}\n' : '');
    return saved;
  }

  /** The first request is due. */
  begun(clock: Pick<ExperimentRun, 'originMonotonicUs' | 'wallOffsetUs'>): void {
    this.hasBegun = true;
    // What keeps it from being written keeps the record from being written that comes at the end, and is told then.
    this.record({ ...clock, aborted: notEnded }).catch(() => undefined);
  }

  /** Replaces run.json, at once or not at all. */
  async record(over: Partial<ExperimentRun>): Promise<void> {
    const path = join(this.folder, runFiles.run);
    const text = `${JSON.stringify({ ...this.run, ...over }, null, 2)}\n`;
    this.records += 1;
    const half = `${path}.${this.records}`;
    try {
      await despiteFullDisk(this.reserve, () => writeFile(half, text));
      await rename(half, path);
    } finally {
      await rm(half, { force: true });
    }
  }

  /** Writes a file of the run; of a name that ends in .gz, zipped. */
  async text(name: string, content: string): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await despiteFullDisk(this.reserve, () => writeFile(path, name.endsWith('.gz') ? gzipSync(content) : content));
  }

  /** Takes the folder away: nothing was measured. */
  async discard(): Promise<void> {
    await this.reserve.release();
    await rm(this.folder, { recursive: true, force: true });
  }
}
