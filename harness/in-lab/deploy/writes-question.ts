/** Which writes of a service of the user's own are stored, asked in the lab's server as its service.yaml says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { OwnService } from '../../experiment/own-service.ts';
import type { Site } from '../../experiment/units.ts';
import { httpGet } from './http-get.ts';
import { listenQueues } from './listen-queues.ts';

/** How one learns which writes are stored. */
export type WritesQuestion =
  | { readonly sql: string; readonly database: string }
  | { readonly command: string }
  | {
      /** Path and query, with `{id}`. */
      readonly url: string;
      readonly host: string;
      /** Ports that the service may listen at; the first that is open is asked. */
      readonly ports: readonly number[];
    };

/** The question of a service that has one. */
export function writesQuestionOf(
  { writes, database = '' }: OwnService,
  { hostHeader, colours }: Pick<Site, 'hostHeader' | 'colours'>,
): WritesQuestion | null {
  if (writes === undefined) return null;
  if ('sql' in writes) return { sql: writes.sql, database: writes.database ?? database };
  if ('command' in writes) return { command: writes.command };
  return { url: writes.url, host: hostHeader, ports: colours.map(({ publicPort }) => publicPort) };
}

/** Ids that are asked for at a time. */
const atOnce = 8;
const answerMs = 10_000;
const commandMs = 30_000;

/**
 * The ids that are stored, each once for each time that it is; by a URL those of `ids` that are.
 * @param limitMs the longest that a command may take
 * @throws with what the database, the command or the service said, where that is no answer
 */
export async function storedIds(
  question: WritesQuestion,
  ids: readonly string[],
  limitMs = commandMs,
): Promise<string[]> {
  if ('url' in question) return await byUrl(question, ids);
  const found = 'sql' in question ? await bySql(question) : await byCommand(question.command, limitMs);
  return found.map((id) => id.trim()).filter((id) => id !== '');
}

async function bySql({ sql, database }: Extract<WritesQuestion, { sql: string }>): Promise<string[]> {
  // It would be made, and the service may not be allowed to open what root has made.
  if (!existsSync(database)) throw new Error(`${database} does not exist`);
  const { DatabaseSync } = await import('node:sqlite');
  // Not opened read-only: what a killed writer left in the write-ahead log is recovered, as the next start would do.
  const opened = new DatabaseSync(database);
  try {
    return opened
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]));
  } finally {
    opened.close();
  }
}

async function byCommand(command: string, limitMs: number): Promise<string[]> {
  // In a group of its own, so that what it has started ends with it.
  const child = spawn('sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const limit = AbortSignal.timeout(limitMs);
  const kill = (): unknown => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  limit.addEventListener('abort', kill);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  limit.removeEventListener('abort', kill);
  if (limit.aborted) throw new Error(`the command did not end within ${limitMs / 1000} s`);
  const said = stderr.trim() === '' ? '' : `: ${stderr.trim()}`;
  if (child.exitCode !== 0) throw new Error(`the command ended with status ${String(child.exitCode)}${said}`);
  return stdout.split('\n');
}

async function byUrl(
  { url, host, ports }: Extract<WritesQuestion, { url: string }>,
  ids: readonly string[],
): Promise<string[]> {
  const open = listenQueues();
  const port = ports.find((one) => open.has(one));
  if (port === undefined) throw new Error(`nobody listens at port ${ports.join(' or ')}`);
  const isStored = async (id: string): Promise<boolean> => {
    const path = url.replaceAll('{id}', encodeURIComponent(id));
    const answer = await httpGet(`http://127.0.0.1:${port}${path}`, answerMs, { Host: host });
    if ('error' in answer) throw new Error(`${url} of ${id}: ${answer.error}`);
    if (answer.status >= 200 && answer.status < 300) return true;
    if (answer.status === 404) return false;
    throw new Error(`${url} of ${id} answered ${answer.status}, which is neither 2xx nor 404`);
  };
  const [first] = ids;
  // No slot's number begins so.
  const strange = first?.replace(/\d+$/u, '00');
  if (strange !== undefined && (await isStored(strange)))
    throw new Error(
      `${url} answers 2xx for ${strange}, too, which nobody wrote: it must be 404 where a write is not stored`,
    );
  const left = [...ids];
  const stored: string[] = [];
  const ask = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) if (await isStored(id)) stored.push(id);
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return stored;
}
