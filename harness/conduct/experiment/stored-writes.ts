/** What became of the writes: what is stored once every process of the site has ended. */
import { join } from 'node:path';
import type { OwnService } from '../../experiment/own-service.ts';
import { writesQuestionOf, type WritesQuestion } from '../../in-lab/deploy/writes-question.ts';
import { exec } from '../../lab/engine/exec.ts';
import { putFiles } from '../../lab/engine/files.ts';
import type { Lab } from '../../lab/lab.ts';
import type { LedgerRow } from '../../run/files/ledger.ts';
import { gzippedLines } from '../../run/gzipped-lines.ts';
import { runFiles } from '../../run/run-folder.ts';
import { fetchMs, keepFile, zip, type LabRunWriter } from './collect.ts';

const idsFile = '/var/write-ids';

/**
 * Ends every process of the site, and brings what the database then holds. A kill, so that it takes no drain: what is
 * acknowledged must have been committed. A service of the user's own that is asked by a URL is asked while it runs.
 * @param service of the user's own, with its secrets
 * @returns why it could not be read, as a sentence; nothing where it was
 */
export async function collectNotes(lab: Lab, writer: LabRunWriter, service: OwnService | undefined): Promise<string[]> {
  if (service === undefined)
    return await keepFile(writer, runFiles.notes, fetchMs, (target) => fetchNotes(lab, target));
  const question = writesQuestionOf(service, lab.sites[0]);
  if (question === null) return [];
  return await keepFile(writer, runFiles.notes, fetchMs, (target) =>
    fetchOwnWrites(lab, question, { folder: writer.folder, names: service.writes?.requests ?? [] }, target),
  );
}

async function fetchNotes(lab: Lab, target: string): Promise<void> {
  await endSites(lab);
  const databases = lab.sites.map(({ name, database }) => `${name}=${database}`);
  await fetchSaid(lab, target, ['read-notes.ts', ...databases], 'the database could not be read');
}

async function fetchOwnWrites(
  lab: Lab,
  question: WritesQuestion,
  { folder, names }: { folder: string; names: readonly string[] },
  target: string,
): Promise<void> {
  const isAskedByUrl = 'url' in question;
  const ids = isAskedByUrl ? await idsOf(folder, names) : [];
  await putFiles(lab.server, [{ path: idsFile, content: ids.join('\n') }]);
  if (!isAskedByUrl) await endSites(lab);
  const failure = 'what became of the writes could not be looked up';
  await fetchSaid(lab, target, ['read-own-writes.ts', JSON.stringify(question), idsFile], failure);
}

/** What a program in the server prints, zipped. */
async function fetchSaid({ server }: Lab, target: string, words: readonly string[], failure: string): Promise<void> {
  const [program = '', ...args] = words;
  const { exitCode, stdout, stderr } = await exec(server, ['node', `/opt/harness/in-lab/deploy/${program}`, ...args]);
  if (exitCode !== 0) throw new Error(`${failure}: ${stderr.trim()}`);
  await zip([stdout], target);
}

async function endSites({ server, sites }: Lab): Promise<void> {
  const colours = sites.flatMap((site) => site.colours);
  const sockets = [
    ...colours.flatMap(({ socket, internalSocket }) => [socket, internalSocket]),
    ...sites.map(({ holder }) => holder),
  ];
  const all = colours.map(({ service }) => service).join(' ');
  const script = `systemctl stop ${sockets.join(' ')}; systemctl kill --signal=SIGKILL ${all}; systemctl stop ${all}`;
  await exec(server, ['sh', '-c', script]);
}

/** After {@link collectNotes}, in a lab that is kept: what was enabled at boot runs again. */
export async function restartSite({ server }: Lab): Promise<void> {
  await exec(server, ['systemctl', 'start', 'sockets.target', 'multi-user.target']);
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
