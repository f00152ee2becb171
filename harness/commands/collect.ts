/** Brings a run's records out of the lab into its folder, and makes the timeline of them. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type Docker from 'dockerode';
import { exec } from '../lab/exec.ts';
import { getFile } from '../lab/files.ts';
import type { Lab } from '../lab/lab.ts';
import { site } from '../lab/unit-files.ts';
import { runFiles } from '../scenario/run-folder.ts';
import { parseAccessLine, type AccessLine } from '../timeline/access-log.ts';
import { buildTimeline } from '../timeline/build.ts';
import { parseJournal } from '../timeline/journal.ts';
import { ledgerPathInClient, type Measurement } from './measure-in-lab.ts';

/** Fetches ledger and witnesses, and writes the units and proxy files as they ran. */
export async function collectRecords(lab: Lab, folder: string): Promise<void> {
  await mkdir(join(folder, dirname(runFiles.accessLog)), { recursive: true });
  await Promise.all([
    fetchGzipped(lab.client, ledgerPathInClient, join(folder, runFiles.ledger)),
    fetchGzipped(lab.edge, '/var/log/traefik/access.ndjson', join(folder, runFiles.accessLog)),
    fetchGzipped(lab.edge, '/var/log/traefik/traefik.log', join(folder, runFiles.proxyLog)),
    fetchGzipped(lab.server, site.requestLog, join(folder, runFiles.requestLog)),
    fetchJournal(lab, join(folder, runFiles.journal)),
    writeLabFiles(lab, join(folder, runFiles.lab)),
  ]);
}

/** Writes timeline.ndjson from what was collected. */
export async function writeTimeline(
  folder: string,
  measurement: Measurement,
  run: { runId: string; durationMs: number; journal: string },
): Promise<void> {
  const { originUs, wallOffsetUs, deployer, aborted } = measurement;
  await writeFile(join(folder, runFiles.deployer), deployer.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const access: AccessLine[] = [];
  if (originUs !== null && wallOffsetUs !== null) {
    for await (const line of gunzippedLines(join(folder, runFiles.accessLog))) {
      const parsed = parseAccessLine(line);
      if (parsed.requestId.startsWith(run.runId)) access.push(parsed);
    }
  }
  const events = buildTimeline({
    originUs: originUs ?? 0,
    wallOffsetUs: wallOffsetUs?.[0] ?? 0,
    loadEndUs: aborted === null ? run.durationMs * 1000 : undefined,
    deployer,
    journal: parseJournal(run.journal),
    access,
    unit: site.service,
  });
  await writeFile(join(folder, runFiles.timeline), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** A record that is not there (a container that died early) is an empty file: what is missing is judged, not hidden. */
async function fetchGzipped(container: Docker.Container, path: string, target: string): Promise<void> {
  const found = await getFile(container, path, async (content) => {
    await pipeline(content, createGzip({ level: 6 }), createWriteStream(target));
  });
  if (!found) await pipeline([], createGzip(), createWriteStream(target));
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

async function* gunzippedLines(path: string): AsyncGenerator<string> {
  const lines = createInterface({ input: createReadStream(path).pipe(createGunzip()) });
  for await (const line of lines) if (line !== '') yield line;
}
