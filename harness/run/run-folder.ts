/** The files of a run, by name; every step reads those of the steps before it. */
import { randomBytes } from 'node:crypto';
import { rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Names within a run's folder. */
export const runFiles = {
  run: 'run.json',
  timeline: 'timeline.ndjson',
  ledger: 'ledger.ndjson.gz',
  /** run.json that is about to take the place of the one before. */
  nextRun: 'run.json.next',
  /** The ledger while it is written, and of a run that was cut short. */
  rawLedger: 'ledger.ndjson',
  /** The parts of several threads, while they are put together. */
  mergedLedger: 'ledger.ndjson.merged',
  /** Connections that were held open beside the load. */
  holds: 'holds.ndjson.gz',
  /** The same while it is written. */
  rawHolds: 'holds.ndjson',
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
  /** The sha256 of every other file. */
  hashes: 'hashes.json',
  charts: 'charts',
  lab: 'lab',
  witnesses: 'witnesses',
  /** Connections that waited in the queues of the server's listening ports. */
  queues: 'witnesses/queues.ndjson.gz',
  /** The runs that this one is to be compared with. */
  controls: 'witnesses/controls.json',
  engineEvents: 'witnesses/engine.ndjson',
  accessLog: 'witnesses/access.ndjson.gz',
  requestLog: 'witnesses/site-requests.ndjson.gz',
  proxyLog: 'witnesses/traefik.log.gz',
  journal: 'witnesses/journal.ndjson',
  serverLog: 'witnesses/server-log.ndjson.gz',
  kernel: 'witnesses/kernel.json',
  capacity: 'witnesses/baseline.json',
  deployer: 'witnesses/deployer.ndjson',
} as const;

/** What the name of a file ends with until it is whole. */
export const unfinished = '.new';

/** The raw ledger, and the parts of it that the threads of a load write. */
export const rawLedgerName = /^ledger\.ndjson(?:\.\d{1,3})?$/u;

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
