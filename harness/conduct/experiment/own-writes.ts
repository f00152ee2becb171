/** What became of the writes to a service of the user's own, as its service.yaml says how to look. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { OwnService } from '../../experiment/own-service.ts';
import type { WritesQuestion } from '../../in-lab/deploy/writes-question.ts';
import { exec } from '../../lab/engine/exec.ts';
import { putFiles } from '../../lab/engine/files.ts';
import type { Lab } from '../../lab/lab.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { gzippedLines } from '../../run/gzipped-lines.ts';
import { runFiles } from '../../run/run-folder.ts';

const idsFile = '/var/write-ids';

/**
 * Looks up the writes, and writes the answer into `target`. A database, or a command, is asked when every process has been
 * killed, so that what is acknowledged must have been committed; a URL while the service runs.
 * @param folder of the run, with its ledger
 */
export async function fetchOwnWrites(lab: Lab, service: OwnService, folder: string, target: string): Promise<void> {
  const { writes } = service;
  if (writes === undefined) return;
  const [{ colours, database, hostHeader }] = lab.sites;
  let question: WritesQuestion;
  if ('url' in writes) {
    await putFiles(lab.server, [{ path: idsFile, content: (await idsOf(folder, writes.requests)).join('\n') }]);
    const ports = colours.map(({ publicPort }) => publicPort);
    question = { kind: 'url', url: writes.url, host: hostHeader, ports, idsFile };
  } else {
    await endAll(lab);
    question =
      'sql' in writes
        ? { kind: 'sql', sql: writes.sql, database: writes.database ?? database }
        : { kind: 'command', command: writes.command };
  }
  const program = '/opt/harness/in-lab/deploy/read-own-writes.ts';
  const { exitCode, stdout, stderr } = await exec(lab.server, ['node', program, JSON.stringify(question)]);
  if (exitCode !== 0) throw new Error(`what became of the writes could not be looked up: ${stderr.trim()}`);
  await pipeline([stdout], createGzip(), createWriteStream(target));
}

async function endAll({ server, sites: [{ colours }] }: Lab): Promise<void> {
  const services = colours.map(({ service }) => service).join(' ');
  const sockets = colours.map(({ socket }) => socket).join(' ');
  const script = `systemctl stop ${sockets}; systemctl kill --signal=SIGKILL ${services}; systemctl stop ${services}`;
  await exec(server, ['sh', '-c', script]);
}

/** The ids of the requests of these names. */
async function idsOf(folder: string, names: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for await (const lines of gzippedLines(join(folder, runFiles.ledger))) {
    for (const line of lines) {
      const { request, requestId } = JSON.parse(line) as LedgerRow;
      if (request !== undefined && names.includes(request)) ids.push(requestId);
    }
  }
  return ids;
}
