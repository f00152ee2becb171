/** Reads the site's log into columns; a long one on a thread of its own, beside the proxy's, with the same result. */
import { stat } from 'node:fs/promises';
import { ProbeAnswerCount, type ProbeAnswers } from './direct-check.ts';
import { startReadingThread } from './reading-thread.ts';
import { SiteColumns, type SiteColumnsData } from './site-columns.ts';
import { readSiteLog } from './site-log.ts';
import type { WritesVerdict } from './verdict.ts';
import { BusyCount } from './writes.ts';

/** What is to be read. */
export interface SiteTask {
  readonly path: string;
  /** How many slots the schedule has. */
  readonly slots: number;
  /** What the request ids of the load begin with. */
  readonly prefix: string;
  /** What those of the direct probe begin with. */
  readonly probePrefix: string;
}

/** What the log comes to. */
export interface SiteReading {
  readonly columns: SiteColumns;
  readonly probed: ProbeAnswers;
  readonly busy: WritesVerdict['busy'];
}

/** What the thread says. */
export interface SiteAnswer {
  readonly data: SiteColumnsData;
  readonly probed: ProbeAnswers;
  readonly busy: WritesVerdict['busy'];
}

/** A shorter file, gzipped, is read before a thread has begun. */
const shortBytes = 4 * 1024 * 1024;
/** Young generation of the thread: lines are short-lived. */
const youngGenerationMb = 12;

/**
 * Reads it, wherever that is sooner.
 * @throws {HarnessError} naming the file, and the line that is none of such a log
 */
export async function readSite(task: SiteTask, isLong?: boolean): Promise<SiteReading> {
  const size = await stat(task.path).then(
    (found) => found.size,
    () => 0,
  );
  if (!(isLong ?? size > shortBytes)) return await readSiteHere(task);
  try {
    return await readSiteThere(task);
  } catch {
    // What was wrong with the file is said in full by who reads it here.
    return await readSiteHere(task);
  }
}

/** Reads it on this thread. */
export async function readSiteHere({ path, slots, prefix, probePrefix }: SiteTask): Promise<SiteReading> {
  const columns = new SiteColumns(slots, prefix);
  const probed = new ProbeAnswerCount(probePrefix);
  const busy = new BusyCount();
  for await (const lines of readSiteLog(path)) {
    for (const line of lines) {
      busy.addLine(line);
      columns.add(line);
      probed.add(line);
    }
  }
  return { columns, probed: probed.answers, busy: busy.result() };
}

async function readSiteThere(task: SiteTask): Promise<SiteReading> {
  const worker = startReadingThread(new URL('./site-thread.ts', import.meta.url), task, youngGenerationMb);
  const { data, probed, busy } = await new Promise<SiteAnswer>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended without a word')));
  });
  return { columns: new SiteColumns(task.slots, task.prefix, data), probed, busy };
}
