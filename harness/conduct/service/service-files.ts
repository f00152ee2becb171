/** The files of a measured service's run: written while it goes on, and finished when it, or its process, has ended. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { HarnessError } from '../../base/errors.ts';
import { finishHolds, finishLedger } from '../../run/finish-ledger.ts';
import { readLedgerRows } from '../../run/read-ledger.ts';
import { plainText } from '../../run/plain-file.ts';
import { openRun } from '../../run/run-door.ts';
import { rawLedgerName, runFiles } from '../../run/run-folder.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import { readTimeline, type TimelineEvent } from '../../run/files/timeline.ts';
import { ndjson, RunWriter, writeRecord } from '../run-writer.ts';
import { serviceJournalEvents, type JournalUnit } from '../../run/timeline/service-journal.ts';
import type { JournalTold } from './journal.ts';
import { identityOf } from './processes.ts';

/** For the records, and for the rows when they are packed, if the disk is full by then. */
const reserveBytes = 16 * 1024 * 1024;

/** How many requests were due; a lower bound where the generator did not live to tell it. */
export interface Due {
  readonly due: number;
  readonly isKnown: boolean;
}

/** Writes the files of one run. */
export class ServiceFiles {
  readonly writer: RunWriter<ServiceRun>;
  private readonly events: TimelineEvent[] = [];

  private constructor(writer: RunWriter<ServiceRun>) {
    this.writer = writer;
  }

  /** Makes the folder, with the run.json of a run that is under way. */
  static async begin(folder: string, run: ServiceRun): Promise<ServiceFiles> {
    const underWay = `${hostname()} ${(await identityOf(process.pid)) ?? process.pid}`;
    const writer = await RunWriter.begin(folder, { ...run, underWay }, reserveBytes);
    await writer.text(runFiles.timeline, '');
    return new ServiceFiles(writer);
  }

  get rawLedger(): string {
    return join(this.writer.folder, runFiles.rawLedger);
  }

  get rawHolds(): string {
    return join(this.writer.folder, runFiles.rawHolds);
  }

  async addEvent(event: Omit<TimelineEvent, 'source'>): Promise<void> {
    const whole = { ...event, source: 'deployer' } as const;
    this.events.push(whole);
    await this.writer.append(runFiles.timeline, ndjson([whole]));
  }

  /** Puts a sentence into run.json that a reader must know. */
  async note(sentence: string): Promise<void> {
    await this.writer.know({ notes: [...this.writer.record.notes, sentence] });
  }

  /** Keeps what systemd's journal says of the units, and puts it into the timeline. */
  async addJournal({ lines, text }: JournalTold, units: readonly JournalUnit[]): Promise<void> {
    const { record } = this.writer;
    await this.writer.text(runFiles.journal, text);
    const begins = this.events.filter(({ kind }) => kind === 'deploy-begin').map(({ atUs }) => atUs);
    this.events.push(...serviceJournalEvents(lines, { originUs: record.originMonotonicUs ?? 0, units, begins }));
  }

  /** Writes what the run came to, and packs its rows. */
  async end(known: Partial<ServiceRun>, due: Due): Promise<void> {
    const { writer } = this;
    await writer.release();
    const run = { ...writer.record, aborted: null, ...known };
    await writer.know(await writer.withReserve(() => finishFiles(writer.folder, run, { events: this.events, due })));
  }
}

/**
 * Finishes the folder of a measurement whose process was gone before its end: rows that lie there as they were written
 * are packed, and a request that was due before the last of them and has no row counts as unfinished.
 * @returns false when there is nothing to finish
 * @throws {HarnessError} `run-under-way` when that process lives
 */
export async function finishAbandoned(folder: string): Promise<boolean> {
  const { record } = await openRun(folder);
  if (record.kind !== 'measure' || record.underWay === null) return false;
  const [host = '', identity = ''] = record.underWay.split(' ');
  if (host === hostname() && (await identityOf(Number(identity.split('/')[0]))) === identity) {
    throw new HarnessError('run-under-way', `${folder} is of a run that process ${identity} is still measuring.`);
  }
  const due = { due: 0, isKnown: false };
  await writeRecord(folder, await finishFiles(folder, record, { events: await readEvents(folder), due }));
  return true;
}

/**
 * Packs the rows and writes the timeline.
 * @returns run.json as it is to be
 */
async function finishFiles(
  folder: string,
  run: ServiceRun,
  { events, due: known }: { events: readonly TimelineEvent[]; due: Due },
): Promise<ServiceRun> {
  const { ratePerSecond } = run.service;
  await removeLeftOvers(folder, run);
  if (!(await finishLedger(folder)) && !(await readdir(folder)).includes(runFiles.ledger)) {
    await writeFile(join(folder, runFiles.ledger), gzipSync(''));
  }
  await finishHolds(folder);
  // Without a word of the generator, the rows tell how many requests were due at least.
  const counted = known.isKnown ? null : await countRows(join(folder, runFiles.ledger));
  const due = Math.max(known.due, counted?.due ?? 0);
  const ended: TimelineEvent = {
    atUs: Math.round((due * 1e6) / ratePerSecond),
    kind: 'load-end',
    source: 'deployer',
    restart: Math.max(0, ...events.filter(({ kind }) => kind === 'deploy-begin').map(({ restart }) => restart)),
  };
  const timeline = [...events, ended].sort((a, b) => a.atUs - b.atUs);
  await writeFile(join(folder, runFiles.timeline), ndjson(timeline));
  return {
    ...run,
    durationMs: (due * 1000) / ratePerSecond,
    unfinished: counted === null ? run.unfinished : due - counted.rows,
    underWay: null,
  };
}

/** Removes what an end in the middle of a step has left, where the whole is there too. */
async function removeLeftOvers(folder: string, { accessLogs }: ServiceRun): Promise<void> {
  const names = await readdir(folder);
  const isWhole = names.includes(runFiles.rawLedger);
  const parts = names.filter((name) => name !== runFiles.rawLedger && rawLedgerName.test(name));
  // Nobody knows where those lines end.
  const half = accessLogs === undefined ? [runFiles.serverLog] : [];
  const left = [runFiles.mergedLedger, runFiles.nextRun, ...half, ...(isWhole ? parts : [])];
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

/** The timeline as it was written so far, without a last line that was cut. */
async function readEvents(folder: string): Promise<TimelineEvent[]> {
  const path = join(folder, runFiles.timeline);
  const text = await plainText(path);
  await writeFile(path, text.slice(0, text.lastIndexOf('\n') + 1));
  return await readTimeline(path);
}
