/**
 * Runs in the lab's `server` container after the load: which writes of a service of the user's own are stored. Its argument
 * is a {@link WritesQuestion} as JSON; the first line of its output is a {@link DatabaseState}, each further one a
 * {@link StoredNote}, all JSON.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { DatabaseState, StoredNote } from '../../run/files/notes.ts';
import { httpGet } from './http-get.ts';
import { listenQueues } from './listen-queues.ts';
import type { WritesQuestion } from './writes-question.ts';

/** Ids that are asked for at a time. */
const atOnce = 8;
const answerMs = 10_000;
const mostOutputBytes = 1024 * 1024 * 1024;

async function bySql(path: string, sql: string): Promise<{ state: DatabaseState; ids: string[] }> {
  const { DatabaseSync } = await import('node:sqlite');
  // Not opened read-only: what a killed writer left in the write-ahead log is recovered, as the next start would do.
  const database = new DatabaseSync(path);
  const pragma = (name: string): string => database.prepare(`PRAGMA ${name}`).all().flatMap(Object.values).join('; ');
  const ids = database
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]));
  return { state: { integrity: pragma('integrity_check'), journalMode: pragma('journal_mode'), walBytes: 0 }, ids };
}

async function byCommand(command: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { maxBuffer: mostOutputBytes });
  return stdout.split('\n').filter((line) => line !== '');
}

async function byUrl({ url, host, ports, idsFile }: Extract<WritesQuestion, { kind: 'url' }>): Promise<string[]> {
  const open = listenQueues();
  const port = ports.find((one) => open.has(one));
  if (port === undefined) throw new Error(`nobody listens at port ${ports.join(' or ')}`);
  const left = readFileSync(idsFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const stored: string[] = [];
  const ask = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const path = url.replaceAll('{id}', encodeURIComponent(id));
      const answer = await httpGet(`http://127.0.0.1:${port}${path}`, answerMs, { Host: host });
      if ('error' in answer) throw new Error(`${path}: ${answer.error}`);
      if (answer.status >= 200 && answer.status < 300) stored.push(id);
      else if (answer.status !== 404)
        throw new Error(`${path} answered ${answer.status}, which is neither 2xx nor 404`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return stored;
}

/** The command's own last words; of any other error its message. */
function wordsOf(error: unknown): string {
  const { code, stderr, message = String(error) } = error as { code?: unknown; stderr?: string; message?: string };
  if (stderr === undefined) return message;
  return `the command ended with status ${String(code)}${stderr.trim() === '' ? '' : `: ${stderr.trim()}`}`;
}

async function answer(question: WritesQuestion): Promise<{ state: DatabaseState; ids: string[] }> {
  if (question.kind === 'sql') return await bySql(question.database, question.sql);
  const ids = await (question.kind === 'url' ? byUrl(question) : byCommand(question.command));
  return { state: { integrity: '', journalMode: '', walBytes: 0 }, ids };
}

try {
  const { state, ids } = await answer(JSON.parse(process.argv[2] ?? '') as WritesQuestion);
  process.stdout.write(`${JSON.stringify(state)}\n`);
  const times = new Map<string, number>();
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  for (const [id, count] of times) {
    // When it was written nobody tells.
    process.stdout.write(`${JSON.stringify({ id, times: count, versions: '', writtenUs: 1 } satisfies StoredNote)}\n`);
  }
} catch (error) {
  // Without its stack, which is the harness's own.
  process.stderr.write(`${wordsOf(error)}\n`);
  process.exitCode = 1;
}
