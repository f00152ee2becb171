/** The smaller files of a run, each read for what its verdict asks of it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError, messageOf } from '../errors.ts';
import type { QueueSample } from '../lab/queue-sampler.ts';
import type { DatabaseState, StoredNote } from '../lab/read-notes.ts';
import { coloursOf } from '../lab/unit-files.ts';
import { readLedger } from '../ledger/read.ts';
import { isDropped } from '../load/row.ts';
import type { Experiment } from '../scenario/experiment.ts';
import { gzippedKnown, gzippedLines, gzippedRecords } from '../scenario/gzipped-lines.ts';
import { keyOf, type LineReader } from '../scenario/line-reader.ts';
import { runFiles } from '../scenario/run-folder.ts';
import type { ExperimentRun } from '../scenario/run-record.ts';
import { controlsSchema, type Control } from './controls.ts';
import { DirectCheck, type ProbeAnswers } from './direct-check.ts';
import type { Span } from './ledger-summary.ts';
import { QueuePeaks } from './queues.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { Calibration, Verdict } from './verdict.ts';
import { WriteCheck } from './writes.ts';

/** The most connections that waited at the site's port, in each of these spans. */
export async function readQueues(
  folder: string,
  experiment: Experiment,
  originUs: number,
  spans: readonly Span[],
): Promise<QueuePeaks> {
  const ports = coloursOf(experiment).map(({ publicPort }) => publicPort);
  const peaks = new QueuePeaks(ports, originUs, spans);
  for await (const samples of gzippedRecords<QueueSample>(join(folder, runFiles.queues))) {
    for (const sample of samples) peaks.add(sample);
  }
  return peaks;
}

/**
 * What the kernel counted.
 * @throws {HarnessError} when the file is missing or no JSON
 */
export async function readKernel(folder: string): Promise<Record<string, number>> {
  const path = join(folder, runFiles.kernel);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, number>;
  } catch (cause) {
    throw new HarnessError('run-damaged', `${path} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

/** Is it there, with a line in it? */
export async function hasLines(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  for await (const lines of gzippedLines(path)) if (lines.length > 0) return true;
  return false;
}

/** What the run was made beside; null each where it was made without controls. */
export async function readControls(
  folder: string,
): Promise<{ controls: readonly Control[] | null; calibration: Calibration | null }> {
  const path = join(folder, runFiles.controls);
  if (!existsSync(path)) return { controls: null, calibration: null };
  return controlsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** The check of the writes; null where the database was not read. */
export async function openWriteCheck(
  folder: string,
  of: { idPrefix: string; slots: number },
): Promise<WriteCheck | null> {
  const path = join(folder, runFiles.notes);
  if (!existsSync(path)) return null;
  let check: WriteCheck | null = null;
  for await (const records of gzippedKnown<DatabaseState | StoredNote>(
    path,
    noteOf,
    (record) => record as StoredNote,
  )) {
    for (const record of records) {
      // The first line is of the database itself.
      if (check === null) check = new WriteCheck(record as DatabaseState, of);
      else check.addStored(record as StoredNote);
    }
  }
  return check;
}

const noteKeys = { id: keyOf('id'), times: keyOf('times'), versions: keyOf('versions'), writtenUs: keyOf('writtenUs') };

function noteOf(line: LineReader): StoredNote {
  return {
    id: line.text(noteKeys.id),
    times: line.integer(noteKeys.times),
    versions: line.word(noteKeys.versions),
    writtenUs: line.integer(noteKeys.writtenUs),
  };
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
  const check = new DirectCheck({ runId: run.runId, ratePerSecond, ...of });
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
    // Of a run that was cut short the probe's last requests were not waited for.
    doubts: run.aborted === null ? check.doubts(lastDueUs) : [],
  };
}
