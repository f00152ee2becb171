/** The files of a run, by name; every step reads those of the steps before it. */
import { randomBytes } from 'node:crypto';
import { readFile, rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { HarnessError, messageOf } from '../errors.ts';
import { firstIssueOf } from './issue-text.ts';
import { runRecordSchema, type RunRecord } from './run-record.ts';

/** Names within a run's folder. */
export const runFiles = {
  run: 'run.json',
  timeline: 'timeline.ndjson',
  ledger: 'ledger.ndjson.gz',
  /** What a few requests saw that went straight to the site's own port. */
  direct: 'witnesses/direct.ndjson.gz',
  /** What the database held when every process had stopped. */
  notes: 'witnesses/notes.ndjson.gz',
  /** Rows that were not plainly answered, with what the witnesses say of them. */
  joined: 'joined.ndjson.gz',
  verdict: 'verdict.json',
  report: 'report.md',
  /** The report as one page that needs nothing beside it. */
  page: 'report.html',
  charts: 'charts',
  lab: 'lab',
  /** Connections that waited in the queues of the server's listening ports. */
  queues: 'witnesses/queues.ndjson.gz',
  /** The runs that this one is to be compared with. */
  controls: 'witnesses/controls.json',
  engineEvents: 'witnesses/engine.ndjson',
  accessLog: 'witnesses/access.ndjson.gz',
  requestLog: 'witnesses/site-requests.ndjson.gz',
  proxyLog: 'witnesses/traefik.log.gz',
  journal: 'witnesses/journal.ndjson',
  kernel: 'witnesses/kernel.json',
  baseline: 'witnesses/baseline.json',
  deployer: 'witnesses/deployer.ndjson',
} as const;

/**
 * Reads run.json of a run's folder.
 * @throws {HarnessError} when there is none, or it is not one of ours
 */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const path = join(folder, runFiles.run);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new HarnessError('run-missing', `${folder} holds no run: ${runFiles.run} cannot be read.`, {
      cause,
    });
  }
  try {
    return runRecordSchema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? firstIssueOf(cause) : messageOf(cause);
    throw new HarnessError('run-damaged', `${path} is not a run record that this version reads: ${why}.`, { cause });
  }
}

/** Makes `latest` in the folder of an experiment's runs point at this one. */
export async function pointLatest(folder: string, runId: string): Promise<void> {
  const link = join(folder, 'latest');
  await rm(link, { force: true });
  await symlink(relative(folder, join(folder, runId)), link);
}

/** UTC and four hex digits: sortable, readable. */
export function newRunId(now: Date): string {
  const utc = now.toISOString().replaceAll(/[-:]|\.\d+/gu, '');
  return `${utc}-${randomBytes(2).toString('hex')}`;
}
