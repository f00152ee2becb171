/** Brings a run's records out of the lab into its folder, and makes the timeline of them. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import type Docker from 'dockerode';
import { containerLog } from '../lab/container-log.ts';
import { exec } from '../lab/exec.ts';
import { getFile } from '../lab/files.ts';
import type { Lab } from '../lab/lab.ts';
import { site } from '../lab/unit-files.ts';
import type { LedgerRow } from '../load/row.ts';
import { runFiles } from '../scenario/run-folder.ts';
import { isKept } from '../timeline/proxy-log.ts';
import { directLedgerPath } from './direct-probe.ts';
import { ledgerPathInClient, queuesPathInServer } from './measure-in-lab.ts';

/**
 * Fetches ledger and witnesses, and writes the units and proxy files as they ran.
 * @param mayBeGone the run was cut short: of a container that has ended, or is gone, what can be had is taken, and what
 *   cannot is an empty file
 */
export async function collectRecords(lab: Lab, folder: string, { mayBeGone }: { mayBeGone: boolean }): Promise<void> {
  await mkdir(join(folder, dirname(runFiles.accessLog)), { recursive: true });
  const keep = async (name: string, fetch: (target: string) => Promise<void>): Promise<void> => {
    const target = join(folder, name);
    await fetch(target).catch(async (error: unknown) => {
      if (!mayBeGone) throw error;
      await writeFile(target, name.endsWith('.gz') ? gzipSync('') : '');
    });
  };
  const { edge } = lab;
  await Promise.all([
    keep(runFiles.ledger, (target) => fetchGzipped(lab.client, ledgerPathInClient, target)),
    ...(edge === null
      ? []
      : [
          keep(runFiles.accessLog, (target) => fetchGzipped(edge, '/var/log/traefik/access.ndjson', target)),
          keep(runFiles.proxyLog, (target) => fetchProxyLog(edge, target)),
        ]),
    keep(runFiles.queues, (target) => fetchGzipped(lab.server, queuesPathInServer, target)),
    keep(runFiles.requestLog, (target) => fetchRequestLogs(lab, target)),
    keep(runFiles.journal, (target) => fetchJournal(lab, target)),
    writeLabFiles(lab, join(folder, runFiles.lab)),
  ]);
}

/** The proxy's own log, but for what it says of every request. */
async function fetchProxyLog(edge: Docker.Container, target: string): Promise<void> {
  const kept = async function* (): AsyncGenerator<string> {
    for await (const line of containerLog(edge)) if (isKept(line)) yield `${line}\n`;
  };
  await pipeline(kept, createGzip({ level: 6 }), createWriteStream(target));
}

/** The request logs of all units, one after another: concatenated gzip files are one. */
async function fetchRequestLogs(lab: Lab, target: string): Promise<void> {
  await rm(target, { force: true });
  for (const { requestLog } of lab.colours) await fetchGzipped(lab.server, requestLog, target, 'a');
}

/** Brings the direct probe's ledger, its times shifted from the probe's own origin to the run's. */
export async function collectDirect(lab: Lab, folder: string, shiftUs: number): Promise<void> {
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
  await pipeline(rows, createGzip(), createWriteStream(join(folder, runFiles.direct)));
}

/**
 * Ends every process of the site, and brings what the database then holds. A kill, so that it takes no drain: what is
 * acknowledged must have been committed.
 * @throws {Error} when the database cannot be read
 */
export async function collectNotes(lab: Lab, folder: string): Promise<void> {
  const sockets = lab.colours.flatMap(({ socket, internalSocket }) => [socket, internalSocket]);
  const services = lab.colours.map(({ service }) => service);
  const all = services.join(' ');
  const script = `systemctl stop ${sockets.join(' ')}; systemctl kill --signal=SIGKILL ${all}; systemctl stop ${all}`;
  await exec(lab.server, ['sh', '-c', script]);
  const { exitCode, stdout, stderr } = await exec(lab.server, [
    'node',
    '/opt/harness/lab/read-notes.ts',
    site.database,
  ]);
  if (exitCode !== 0) throw new Error(`the database could not be read: ${stderr.trim()}`);
  await pipeline([stdout], createGzip(), createWriteStream(join(folder, runFiles.notes)));
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

async function fetchJournal(lab: Lab, target: string): Promise<void> {
  const { stdout } = await exec(lab.server, [
    'journalctl',
    '--no-pager',
    '--output=json',
    '--output-fields=MESSAGE,MESSAGE_ID,UNIT,_SYSTEMD_UNIT,_PID,PRIORITY',
  ]);
  await writeFile(target, stdout);
}

async function writeLabFiles(lab: Lab, folder: string): Promise<void> {
  for (const file of lab.files) {
    if ('linkTo' in file) continue;
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, file.content);
  }
}
