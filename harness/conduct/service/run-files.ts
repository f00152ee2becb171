/**
 * The files of a run under way. run.json is there before the first request and rows as they are settled, so that whatever
 * ends the harness, a folder is left that can be judged.
 */
import { appendFile, mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { despiteFullDisk, holdReserve, type Reserve } from '../reserve.ts';
import { HarnessError } from '../../base/errors.ts';
import { finishLedger } from '../../run/finish-ledger.ts';
import { readLedgerRows } from '../../run/read-ledger.ts';
import { plainText } from '../../run/plain-file.ts';
import { openRun } from '../../run/run-door.ts';
import { rawLedgerName, runFiles } from '../../run/run-folder.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import type { TimelineEvent } from '../../run/timeline.ts';
import { readTimeline } from '../../run/read-timeline.ts';
import { identityOf } from './processes.ts';

/** What a run says of itself until its end has been written. */
const notEnded = 'The run did not end: its process was gone before it could write what came of it.';

/** For what a run writes beside its rows, and for the rows when they are packed, if the disk is full by then. */
const reserveBytes = 16 * 1024 * 1024;
/** Bytes of a row, and how long a load goes on after it was told to stop. */
const rowBytes = 450;
const stopSeconds = 3;

/** Writes the files of one run. */
export class RunFiles {
  readonly folder: string;
  private run: ServiceRun;
  private readonly reserve: Reserve;
  private readonly events: TimelineEvent[] = [];

  private constructor(folder: string, run: ServiceRun, reserve: Reserve) {
    this.folder = folder;
    this.run = run;
    this.reserve = reserve;
  }

  /**
   * Makes the folder, with a run.json that says that the run did not end.
   * @throws {Error} when there is no room for it; nothing is left then
   */
  static async begin(folder: string, run: ServiceRun): Promise<RunFiles> {
    await mkdir(folder, { recursive: true });
    const underWay = `${hostname()} ${(await identityOf(process.pid)) ?? process.pid}`;
    try {
      const reserve = await holdReserve(folder, reserveBytes);
      const files = new RunFiles(folder, { ...run, aborted: notEnded, underWay }, reserve);
      await writeRun(folder, files.run);
      await writeFile(join(folder, runFiles.timeline), '');
      return files;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Where the load generator writes its rows. */
  get rawLedger(): string {
    return join(this.folder, runFiles.rawLedger);
  }

  /** Puts what has become known into run.json. */
  async know(known: Partial<ServiceRun>): Promise<void> {
    this.run = { ...this.run, ...known };
    await despiteFullDisk(this.reserve, () => writeRun(this.folder, this.run));
  }

  async addEvent(event: Omit<TimelineEvent, 'source'>): Promise<void> {
    const whole = { ...event, source: 'deployer' } as const;
    this.events.push(whole);
    const path = join(this.folder, runFiles.timeline);
    await despiteFullDisk(this.reserve, () => appendFile(path, `${JSON.stringify(whole)}\n`));
  }

  /**
   * Writes what the run came to, and packs its rows.
   * @param due how many requests were due
   */
  async end(known: Partial<ServiceRun>, due: Due): Promise<void> {
    this.run = { ...this.run, aborted: null, ...known };
    await this.reserve.release();
    await finish(this.folder, this.run, this.events, due);
  }

  /** Is there so little room left that rows would soon be lost? What is held back for the end counts as none. */
  async isNearlyFull(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize < this.run.service.ratePerSecond * rowBytes * stopSeconds;
  }
}

/** How many requests were due; only at least so many, where the generator did not live to tell it. */
export interface Due {
  readonly due: number;
  readonly isKnown: boolean;
}

/**
 * Finishes the folder of a measurement whose process was gone before its end: rows that lie there as they were written
 * are packed, and a request that was due before the last of them and has no row counts as unfinished.
 * @returns false when there is nothing to finish
 * @throws {HarnessError} `run-under-way` when that process lives
 */
export async function finishRun(folder: string): Promise<boolean> {
  const { record } = await openRun(folder);
  if (record.kind !== 'measure' || record.underWay === null) return false;
  const [host = '', identity = ''] = record.underWay.split(' ');
  if (host === hostname() && (await identityOf(Number(identity.split('/')[0]))) === identity) {
    throw new HarnessError('run-under-way', `${folder} is of a run that process ${identity} is still measuring.`);
  }
  await finish(folder, record, await readEvents(folder), { due: 0, isKnown: false });
  return true;
}

async function finish(folder: string, run: ServiceRun, events: readonly TimelineEvent[], known: Due): Promise<void> {
  const { ratePerSecond } = run.service;
  await removeLeftOvers(folder);
  if (!(await finishLedger(folder)) && !(await readdir(folder)).includes(runFiles.ledger)) {
    await writeFile(join(folder, runFiles.ledger), gzipSync(''));
  }
  // Without a word of the generator, the rows tell how many requests were due at least.
  const counted = known.isKnown ? null : await countRows(join(folder, runFiles.ledger));
  const due = Math.max(known.due, counted?.due ?? 0);
  const ended: TimelineEvent = {
    atUs: Math.round((due * 1e6) / ratePerSecond),
    kind: 'load-end',
    source: 'deployer',
    restart: events.some(({ kind }) => kind === 'deploy-begin') ? 1 : 0,
  };
  const timeline = [...events, ended].sort((a, b) => a.atUs - b.atUs);
  await writeFile(join(folder, runFiles.timeline), timeline.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await writeRun(folder, {
    ...run,
    durationMs: (due * 1000) / ratePerSecond,
    unfinished: counted === null ? run.unfinished : due - counted.rows,
    underWay: null,
  });
}

/** What an end in the middle of a step has left, and of which the whole is there. */
async function removeLeftOvers(folder: string): Promise<void> {
  const names = await readdir(folder);
  const isWhole = names.includes(runFiles.rawLedger);
  const parts = names.filter((name) => name !== runFiles.rawLedger && rawLedgerName.test(name));
  const left = [runFiles.mergedLedger, runFiles.nextRun, ...(isWhole ? parts : [])];
  for (const name of left) await rm(join(folder, name), { force: true });
}

async function countRows(packed: string): Promise<{ rows: number; due: number }> {
  let rows = 0;
  let due = 0;
  for await (const some of readLedgerRows(packed)) {
    rows += some.length;
    for (const { seq } of some) due = Math.max(due, seq + 1);
  }
  return { rows, due };
}

/** The timeline as it was written so far; a last line that was cut is taken away. */
async function readEvents(folder: string): Promise<TimelineEvent[]> {
  const path = join(folder, runFiles.timeline);
  const text = await plainText(path);
  await writeFile(path, text.slice(0, text.lastIndexOf('\n') + 1));
  return await readTimeline(path);
}

/** In one step: a full disk, or an end in the middle, leaves the one that was there. */
async function writeRun(folder: string, run: ServiceRun): Promise<void> {
  const next = join(folder, runFiles.nextRun);
  await writeFile(next, `${JSON.stringify(run, null, 2)}\n`);
  await rename(next, join(folder, runFiles.run));
}
