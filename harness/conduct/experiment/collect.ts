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
import type { OwnService } from '../../experiment/own-service.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { oneLine } from '../../run/plain-file.ts';
import { runFiles, unfinished } from '../../run/run-folder.ts';
import type { ExperimentRun } from '../../run/run-record.ts';
import { parseJournal } from '../../run/files/journal.ts';
import { isServiceJournalLine } from '../../run/timeline/service-journal.ts';
import { isKept } from '../../run/files/proxy-log.ts';
import type { PlanMixEntry } from '../../in-lab/load/plan.ts';
import { directLedgerPath } from './direct-probe.ts';
import { hiddenPaths, type Hide } from './hidden-paths.ts';
import { fetchOwnWrites } from './own-writes.ts';
import { ledgerPathInClient, queuesPathInServer, type Measurement } from './load-in-lab.ts';
import { ndjson, type RunWriter } from '../run-writer.ts';
import { withTimeout } from '../../base/timeout.ts';

type LabRunWriter = RunWriter<ExperimentRun>;

/** The longest that the engine may take for one of the files. */
const fetchMs = 60_000;
/** The same in a run that was cut short: the user waits for its end. */
const fetchCutShortMs = 3_000;

/**
 * Brings ledger and witnesses into the folder, and the units and proxy files as they ran. For a file that cannot be had, the
 * empty witness or the copy of the ledger stays.
 * @param of.countersBefore the kernel's counters before the load
 * @param of.mix requests as they were sent, with secrets in their paths
 * @returns what could not be had, each a sentence
 */
export async function collectRecords(
  lab: Lab,
  writer: LabRunWriter,
  { aborted, originUs, directOriginUs, deployer }: Measurement,
  { countersBefore, mix }: { countersBefore: Record<string, number>; mix: readonly PlanMixEntry[] },
): Promise<string[]> {
  const keep = async (name: string, fetch: (target: string) => Promise<void>): Promise<string[]> =>
    await keepFile(writer, name, aborted === null ? fetchMs : fetchCutShortMs, fetch);
  const { edge, server } = lab;
  const hide = hiddenPaths(mix);
  const isProxyUnit = writer.record.experiment.proxy.unit !== undefined;
  // First: what follows takes the machine's CPUs, whose pressure is among the counters.
  const missing = await keep(runFiles.kernel, (target) => fetchCounters(lab, target, countersBefore));
  const others = await Promise.all([
    keep(runFiles.ledger, (target) => fetchLedger(lab, target)),
    ...(edge === null
      ? []
      : [
          keep(runFiles.accessLog, (target) => fetchAccessLog(edge, target, hide)),
          keep(runFiles.proxyLog, (target) => fetchProxyLog(containerLog(edge), target, hide)),
        ]),
    ...(isProxyUnit
      ? [
          keep(runFiles.accessLog, (target) => fetchAccessLog(server, target, hide)),
          keep(runFiles.proxyLog, (target) => fetchProxyLog(proxyLogOfJournal(lab), target, hide)),
        ]
      : []),
    keep(runFiles.queues, (target) => fetchGzipped(lab.server, queuesPathInServer, target)),
    keep(runFiles.requestLog, (target) => fetchRequestLogs(lab, target)),
    keep(runFiles.journal, (target) => fetchJournal(lab, target, writer.record.experiment.service === undefined)),
    ...(directOriginUs === null || originUs === null
      ? []
      : [keep(runFiles.direct, (target) => fetchDirect(lab, target, directOriginUs - originUs))]),
  ]);
  await writer.text(runFiles.deployer, ndjson(deployer));
  await writer.withReserve(() => writeLabFiles(lab, join(writer.folder, runFiles.lab)));
  // Without the whole ledger the copy is what there is.
  const hasLedger = existsSync(join(writer.folder, runFiles.ledger));
  if (hasLedger) await rm(join(writer.folder, runFiles.rawLedger), { force: true });
  else await writer.withReserve(() => finishLedger(writer.folder));
  return [...missing, ...others.flat()];
}

/** Fetches a file to its place, whole or not at all; what keeps it from that is a sentence. */
async function keepFile(
  writer: LabRunWriter,
  name: string,
  limitMs: number,
  fetch: (target: string) => Promise<void>,
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

/** The whole ledger from the client; the copy that was made while it was written is then not needed. */
async function fetchLedger({ client }: Lab, target: string): Promise<void> {
  const found = await getFile(client, ledgerPathInClient, async (content) => {
    await pipeline(content, createGzip({ level: 6 }), createWriteStream(target));
  });
  if (!found) throw new Error('the client has none');
}

/** The proxy's access log, a path with a secret as it may be shown. */
async function fetchAccessLog(container: Docker.Container, target: string, hide: Hide | null): Promise<void> {
  const shown = async function* (content: Readable): AsyncGenerator<string | Buffer> {
    if (hide === null) yield* content as AsyncIterable<Buffer>;
    else for await (const line of createInterface({ input: content })) yield `${hide(line)}\n`;
  };
  const found = await getFile(container, '/var/log/traefik/access.ndjson', async (content) => {
    await pipeline(shown(content), createGzip({ level: 6 }), createWriteStream(target));
  });
  if (!found) await pipeline([], createGzip({ level: 6 }), createWriteStream(target));
}

/** The proxy's own log, stamped, but for what it says of every request. */
async function fetchProxyLog(log: AsyncIterable<string>, target: string, hide: Hide | null): Promise<void> {
  const kept = async function* (): AsyncGenerator<string> {
    for await (const line of log) if (isKept(line)) yield `${hide?.(line) ?? line}\n`;
  };
  await pipeline(kept, createGzip({ level: 6 }), createWriteStream(target));
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
async function fetchRequestLogs(lab: Lab, target: string): Promise<void> {
  await rm(target, { force: true });
  const logs = lab.sites.flatMap(({ colours }) => colours.flatMap(({ requestLog }) => requestLog ?? []));
  if (logs.length === 0) await pipeline([], createGzip(), createWriteStream(target));
  for (const log of logs) await fetchGzipped(lab.server, log, target, 'a');
}

/** The direct probe's ledger, its times shifted from the probe's own origin to the run's. */
async function fetchDirect(lab: Lab, target: string, shiftUs: number): Promise<void> {
  const rows: string[] = [];
  await getFile(lab.server, directLedgerPath, async (content) => {
    for await (const line of createInterface({ input: content })) {
      if (line === '') continue;
      const row = JSON.parse(line) as LedgerRow;
      const shifted = (us: number | null): number | null => (us === null ? null : us + shiftUs);
      const moved = {
        dueUs: row.dueUs + shiftUs,
        sentUs: shifted(row.sentUs),
        connectedUs: shifted(row.connectedUs),
        firstByteUs: shifted(row.firstByteUs),
        doneUs: row.doneUs + shiftUs,
      };
      rows.push(`${JSON.stringify({ ...row, ...moved })}\n`);
    }
  });
  await pipeline(rows, createGzip(), createWriteStream(target));
}

/**
 * Ends every process of the site, and brings what the database then holds. A kill, so that it takes no drain: what is
 * acknowledged must have been committed.
 * @param service of the user's own, with its secrets
 * @returns why it could not be read, as a sentence; nothing where it was
 */
export async function collectNotes(lab: Lab, writer: LabRunWriter, service: OwnService | undefined): Promise<string[]> {
  if (service !== undefined) {
    if (service.writes === undefined) return [];
    return await keepFile(writer, runFiles.notes, fetchMs, (target) =>
      fetchOwnWrites(lab, service, writer.folder, target),
    );
  }
  return await keepFile(writer, runFiles.notes, fetchMs, (target) => fetchNotes(lab, target));
}

async function fetchNotes(lab: Lab, target: string): Promise<void> {
  const colours = lab.sites.flatMap((site) => site.colours);
  const holders = lab.sites.map(({ holder }) => holder);
  const sockets = [...colours.flatMap(({ socket, internalSocket }) => [socket, internalSocket]), ...holders];
  const services = colours.map(({ service }) => service);
  const all = services.join(' ');
  const script = `systemctl stop ${sockets.join(' ')}; systemctl kill --signal=SIGKILL ${all}; systemctl stop ${all}`;
  await exec(lab.server, ['sh', '-c', script]);
  const { exitCode, stdout, stderr } = await exec(lab.server, [
    'node',
    '/opt/harness/in-lab/deploy/read-notes.ts',
    ...lab.sites.map(({ name, database }) => `${name}=${database}`),
  ]);
  if (exitCode !== 0) throw new Error(`the database could not be read: ${stderr.trim()}`);
  await pipeline([stdout], createGzip(), createWriteStream(target));
}

/** After {@link collectNotes}, in a lab that is kept: what was enabled at boot runs again. */
export async function restartSite({ server }: Lab): Promise<void> {
  await exec(server, ['systemctl', 'start', 'sockets.target', 'multi-user.target']);
}

/** A record that is not there (a container that died early) is an empty file: what is missing is judged, not hidden. */
async function fetchGzipped(container: Docker.Container, path: string, target: string, flags = 'w'): Promise<void> {
  const found = await getFile(container, path, async (content) => {
    await pipeline(content, createGzip({ level: 6 }), createWriteStream(target, { flags }));
  });
  if (!found) await pipeline([], createGzip(), createWriteStream(target, { flags }));
}

async function fetchCounters({ server }: Lab, target: string, before: Record<string, number>): Promise<void> {
  const change = counterChange(before, await readKernelCounters(server));
  await writeFile(target, `${JSON.stringify(change, null, 2)}\n`);
}

/** @param isDemo what a service of the user's own says is nobody's business: of it only systemd's words are kept */
async function fetchJournal(lab: Lab, target: string, isDemo: boolean): Promise<void> {
  const journal = await readJournal(lab, ['--output-fields=MESSAGE,MESSAGE_ID,UNIT,_SYSTEMD_UNIT,_PID,PRIORITY']);
  // Where the proxy is a unit, its log is here too.
  const kept = journal
    .split('\n')
    .filter((line) => isKept(line) && (isDemo || isServiceLine(line)))
    .join('\n');
  await writeFile(target, kept);
}

function isServiceLine(line: string): boolean {
  return line !== '' && parseJournal(line, runFiles.journal).some(isServiceJournalLine);
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
