/** Brings a run's records out of the lab into its folder, and makes the timeline of them. */
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type Docker from 'dockerode';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { containerLog } from '../../lab/engine/container-log.ts';
import { exec } from '../../lab/engine/exec.ts';
import { counterChange, readKernelCounters } from '../../lab/kernel-counters.ts';
import { finishLedger } from '../../run/finish-ledger.ts';
import { proxyUnit } from '../../experiment/units.ts';
import { getFile } from '../../lab/engine/files.ts';
import type { Lab } from '../../lab/lab.ts';
import { oneLine } from '../../run/plain-file.ts';
import { runFiles, unfinished } from '../../run/run-folder.ts';
import type { ExperimentRun } from '../../run/run-record.ts';
import { parseJournal } from '../../run/files/journal.ts';
import { isServiceJournalLine } from '../../run/timeline/service-journal.ts';
import { isKept } from '../../run/files/proxy-log.ts';
import { directLedgerPath } from './direct-probe.ts';
import type { Hide } from './hidden-paths.ts';
import type { Measurement } from './load-in-lab.ts';
import { ledgerPathInClient, queuesPathInServer } from './load-plans.ts';
import { ndjson, type RunWriter } from '../run-writer.ts';
import { withTimeout } from '../../base/timeout.ts';

/** Writes the files of a run in the lab. */
export type LabRunWriter = RunWriter<ExperimentRun>;

/** The longest that the engine may take for one of the files. */
export const fetchMs = 60_000;
/** The same in a run that was cut short: the user waits for its end. */
const fetchCutShortMs = 3_000;

const accessLogPath = '/var/log/traefik/access.ndjson';

/**
 * Brings ledger and witnesses into the folder, and the units and proxy files as they ran. For a file that cannot be had, the
 * empty witness or the copy of the ledger stays.
 * @param of.countersBefore the kernel's counters before the load
 * @param of.hide hides secrets in the paths of a service of the user's own; null where there are none
 * @returns what could not be had, each a sentence
 */
export async function collectRecords(
  lab: Lab,
  writer: LabRunWriter,
  { aborted, originUs, directOriginUs, deployer }: Measurement,
  { countersBefore, hide }: { countersBefore: Record<string, number>; hide: Hide | null },
): Promise<string[]> {
  const limitMs = aborted === null ? fetchMs : fetchCutShortMs;
  const keep = (name: string, fetch: (target: string) => Promise<unknown>) => keepFile(writer, name, limitMs, fetch);
  const { edge, server } = lab;
  const { proxy, service } = writer.record.experiment;
  const proxyLog = edge === null ? proxyLogOfJournal(lab) : containerLog(edge);
  // First: what follows takes the machine's CPUs, whose pressure is among the counters.
  const missing = await keep(runFiles.kernel, async (target) => {
    const change = counterChange(countersBefore, await readKernelCounters(server));
    await writeFile(target, `${JSON.stringify(change, null, 2)}\n`);
  });
  const others = await Promise.all([
    keep(runFiles.ledger, async (target) => {
      if (!(await fetchZipped(lab.client, ledgerPathInClient, target))) throw new Error('the client has none');
    }),
    ...(edge === null && proxy.unit === undefined
      ? []
      : [
          keep(runFiles.accessLog, (target) =>
            fetchZipped(edge ?? server, accessLogPath, target, { change: (content) => hidden(content, hide) }),
          ),
          keep(runFiles.proxyLog, (target) => zip(shownLines(proxyLog, hide), target)),
        ]),
    keep(runFiles.queues, (target) => fetchZipped(server, queuesPathInServer, target)),
    keep(runFiles.requestLog, (target) => fetchRequestLogs(lab, target)),
    keep(runFiles.journal, (target) => fetchJournal(lab, target, service === undefined)),
    ...(directOriginUs === null || originUs === null
      ? []
      : [
          keep(runFiles.direct, (target) =>
            fetchZipped(server, directLedgerPath, target, {
              change: (content) => shifted(content, directOriginUs - originUs, hide),
            }),
          ),
        ]),
  ]);
  await writer.text(runFiles.deployer, ndjson(deployer));
  await writer.withReserve(() => writeLabFiles(lab, join(writer.folder, runFiles.lab)));
  // Without the whole ledger the copy is what there is.
  const hasLedger = existsSync(join(writer.folder, runFiles.ledger));
  if (hasLedger) await rm(join(writer.folder, runFiles.rawLedger), { force: true });
  else await writer.withReserve(() => finishLedger(writer.folder));
  return [...missing, ...others.flat()];
}

/**
 * Fetches a file to its place, whole or not at all.
 * @returns what keeps it from that, as a sentence; nothing where it is there
 */
export async function keepFile(
  writer: LabRunWriter,
  name: string,
  limitMs: number,
  fetch: (target: string) => Promise<unknown>,
): Promise<string[]> {
  const { folder } = writer;
  const target = join(folder, `${name}${unfinished}`);
  try {
    await writer.withReserve(() => withTimeout(limitMs, `Fetching ${name}`, fetch(target)));
    await rename(target, join(folder, name));
    return [];
  } catch (error) {
    if (error instanceof HarnessError && error.code === 'disk-full') throw error;
    return [`${name} could not be collected (${oneLine(messageOf(error))}).`];
  } finally {
    await rm(target, { force: true });
  }
}

type Content = Readable | Iterable<string> | AsyncIterable<string>;

/** Zips this into a file. */
export async function zip(content: Content, target: string, flags = 'w'): Promise<void> {
  await pipeline(content, createGzip(), createWriteStream(target, { flags }));
}

/**
 * A file of a container, zipped. One that is not there (a container that died early) is an empty file: what is missing is
 * judged, not hidden.
 * @returns was it there?
 */
async function fetchZipped(
  container: Docker.Container,
  path: string,
  target: string,
  { change = (content) => content, flags }: { change?: (content: Readable) => Content; flags?: string } = {},
): Promise<boolean> {
  const found = await getFile(container, path, (content) => zip(change(content), target, flags));
  if (!found) await zip([], target, flags);
  return found;
}

/** A path with a secret in the access log as it may be shown. */
function hidden(content: Readable, hide: Hide | null): Content {
  return hide === null ? content : changedLines(content, hide);
}

async function* changedLines(content: Readable, change: (line: string) => string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: content })) yield `${change(line)}\n`;
}

/** The proxy's own log, stamped, but for what it says of every request. */
async function* shownLines(log: AsyncIterable<string>, hide: Hide | null): AsyncGenerator<string> {
  for await (const line of log) if (isKept(line)) yield `${hide?.(line) ?? line}\n`;
}

/** The log of a proxy that is a unit, in the form in which the engine gives that of a container. */
async function* proxyLogOfJournal(lab: Lab): AsyncGenerator<string> {
  const journal = await readJournal(lab, ['--output-fields=MESSAGE', `_SYSTEMD_UNIT=${proxyUnit.service}`]);
  for (const entry of journal.split('\n')) {
    if (entry === '') continue;
    const { MESSAGE, __REALTIME_TIMESTAMP: us } = JSON.parse(entry) as Record<string, string>;
    if (us !== undefined) yield `${stampOf(us)} ${MESSAGE ?? ''}`;
  }
}

/** RFC 3339 with nanoseconds, of digits that are microseconds since 1970. */
function stampOf(us: string): string {
  const seconds = new Date(Number(us.slice(0, -6)) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${us.slice(-6)}000Z`;
}

/** The request logs of all units, one after another: concatenated gzip files are one. */
async function fetchRequestLogs({ server, sites }: Lab, target: string): Promise<void> {
  const logs = sites.flatMap(({ colours }) => colours.flatMap(({ requestLog }) => requestLog ?? []));
  await rm(target, { force: true });
  if (logs.length === 0) await zip([], target);
  for (const log of logs) await fetchZipped(server, log, target, { flags: 'a' });
}

const timesOfRow = ['dueUs', 'sentUs', 'connectedUs', 'firstByteUs', 'doneUs'] as const;

/** The direct probe's ledger, its times moved from the probe's own origin to the run's. */
async function* shifted(content: Readable, shiftUs: number, hide: Hide | null): AsyncGenerator<string> {
  yield* changedLines(content, (line) => {
    const row = JSON.parse(hide?.(line) ?? line) as Record<(typeof timesOfRow)[number], number | null>;
    for (const name of timesOfRow) if (row[name] !== null) row[name] += shiftUs;
    return JSON.stringify(row);
  });
}

/** @param isDemo what a service of the user's own says is nobody's business: of it only systemd's words are kept */
async function fetchJournal(lab: Lab, target: string, isDemo: boolean): Promise<void> {
  const journal = await readJournal(lab, ['--output-fields=MESSAGE,MESSAGE_ID,UNIT,_SYSTEMD_UNIT,_PID,PRIORITY']);
  const isOfService = (line: string): boolean =>
    line !== '' && parseJournal(line, runFiles.journal).some(isServiceJournalLine);
  // Where the proxy is a unit, its log is here too.
  const kept = journal.split('\n').filter((line) => isKept(line) && (isDemo || isOfService(line)));
  await writeFile(target, kept.join('\n'));
}

/** Entries of the server's journal, a line of JSON each. */
async function readJournal({ server }: Lab, options: readonly string[]): Promise<string> {
  const command = ['journalctl', '--no-pager', '--output=json', ...options];
  const { exitCode, stdout, stderr } = await exec(server, command);
  // Where the engine could not run it, stdout has the engine's words.
  if (exitCode !== 0) throw new Error(`journalctl ended with status ${exitCode}: ${(stderr || stdout).trim()}`);
  return stdout;
}

async function writeLabFiles(lab: Lab, folder: string): Promise<void> {
  for (const file of lab.files) {
    if ('linkTo' in file) continue;
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, file.content);
  }
}
