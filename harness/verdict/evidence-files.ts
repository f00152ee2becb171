/** The smaller files of a run, each read for what its verdict asks of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { coloursOf } from '../experiment/units.ts';
import { readLedger } from '../run/read-ledger.ts';
import { isDropped } from '../run/ledger.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { gzippedKnown, gzippedRecords } from '../run/gzipped-lines.ts';
import { damaged, integerFrom, lineForm, optional, text, type Place } from '../run/line-form.ts';
import { keyOf, type LineReader } from '../run/line-reader.ts';
import { plainJson } from '../run/plain-file.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { controlsSchema, type Control } from './controls.ts';
import { DirectCheck, type ProbeAnswers } from './direct-check.ts';
import type { Span } from './ledger-summary.ts';
import { QueuePeaks } from './queues.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { Calibration, Verdict } from './verdict.ts';
import { WriteCheck } from './writes.ts';
import type { QueueSample } from '../run/queues.ts';
import type { DatabaseState, StoredNote } from '../run/notes.ts';

/** The most connections that waited at the site's port, in each of these spans. */
export async function readQueues(
  folder: string,
  experiment: Experiment,
  originUs: number,
  spans: readonly Span[],
): Promise<QueuePeaks> {
  const ports = coloursOf(experiment).map(({ publicPort }) => publicPort);
  const peaks = new QueuePeaks(ports, originUs, spans);
  for await (const samples of gzippedRecords(join(folder, runFiles.queues), formOfSample)) {
    for (const sample of samples) peaks.add(sample);
  }
  return peaks;
}

const formOfSample = lineForm<QueueSample>('sample of the queues', {
  atMonotonicUs: integerFrom(0),
  port: integerFrom(0),
  waiting: integerFrom(0),
});

/**
 * What the kernel counted.
 * @throws {HarnessError} when the file is missing, no JSON, or holds anything but numbers
 */
export async function readKernel(folder: string): Promise<Record<string, number>> {
  return await plainJson(join(folder, runFiles.kernel), z.record(z.string(), z.number()), {
    what: 'record of counters',
  });
}

/**
 * What the run was made beside; null each where it was made without controls.
 * @throws {HarnessError} when the file is no JSON, or not of its form
 */
export async function readControls(
  folder: string,
): Promise<{ controls: readonly Control[] | null; calibration: Calibration | null }> {
  const path = join(folder, runFiles.controls);
  if (!existsSync(path)) return { controls: null, calibration: null };
  return await plainJson(path, controlsSchema, { what: 'record of controls' });
}

/**
 * The check of the writes; null where the database was not read.
 * @throws {HarnessError} naming the file, and the line that is no note, or not the state of the database that comes first
 */
export async function openWriteCheck(
  folder: string,
  of: { idPrefix: string; slots: number },
): Promise<WriteCheck | null> {
  const path = join(folder, runFiles.notes);
  if (!existsSync(path)) return null;
  let check: WriteCheck | null = null;
  for await (const records of gzippedKnown(path, noteOf, formOfNotes)) {
    for (const record of records) {
      if (check === null) check = new WriteCheck(stateIn(record, path), of);
      else check.addStored(record as StoredNote);
    }
  }
  return check;
}

/** The first line is of the database itself; a file that has lost it begins with a note. */
function stateIn(record: DatabaseState | StoredNote, path: string): DatabaseState {
  if ('integrity' in record) return record;
  throw damaged({ path, line: 1 }, 'is a note: the state of the database, which comes first, is missing');
}

const formOfState = lineForm<DatabaseState>('state of a database', {
  integrity: text,
  journalMode: text,
  walBytes: integerFrom(0),
});

const formOfNote = lineForm<StoredNote>('note', {
  id: text,
  times: integerFrom(1),
  versions: text,
  writtenUs: integerFrom(1),
  textCrc32s: optional(text),
});

function formOfNotes(json: unknown, place: Place): DatabaseState | StoredNote {
  return place.line === 1 ? formOfState(json, place) : formOfNote(json, place);
}

const noteKeys = {
  id: keyOf('id'),
  times: keyOf('times'),
  versions: keyOf('versions'),
  writtenUs: keyOf('writtenUs'),
  textCrc32s: keyOf('textCrc32s'),
};

function noteOf(line: LineReader): StoredNote {
  const known = {
    id: line.text(noteKeys.id),
    times: line.integer(noteKeys.times),
    versions: line.word(noteKeys.versions),
    writtenUs: line.integer(noteKeys.writtenUs),
  };
  const textCrc32s = line.optionalText(noteKeys.textCrc32s);
  const note: StoredNote = textCrc32s === undefined ? known : { ...known, textCrc32s };
  if (note.times < 1 || note.writtenUs < 1) line.refuse();
  return note;
}

/** Counts of the direct probe, null where there was none; and what of it cannot be, each a sentence. */
export async function judgeDirect(
  folder: string,
  run: ExperimentRun,
  of: { answers: ProbeAnswers; windows: readonly RestartWindow[] },
): Promise<{ direct: Verdict['direct']; doubts: readonly string[] }> {
  const path = join(folder, runFiles.direct);
  if (!existsSync(path)) return { direct: null, doubts: [] };
  const { ratePerSecond } = run.experiment.probe;
  const check = new DirectCheck({
    runId: run.runId,
    ratePerSecond,
    originMonotonicUs: run.originMonotonicUs ?? 0,
    ...of,
  });
  const outcomes: Record<string, number> = {};
  let due = 0;
  let dropped = 0;
  let longestUs: number | null = null;
  for await (const row of readLedger(path)) {
    const { outcome, doneUs, dueUs } = row;
    check.add(row);
    due++;
    if (outcome === 'ok') longestUs = Math.max(longestUs ?? 0, doneUs - dueUs);
    if (isDropped(outcome)) dropped++;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  const longestWaitMs = longestUs === null ? null : longestUs / 1000;
  const lastDueUs = run.durationMs * 1000 - 1e6 / run.experiment.load.ratePerSecond;
  return {
    direct: { ratePerSecond, due, dropped, outcomes, longestWaitMs },
    doubts: check.doubts(lastDueUs),
  };
}
