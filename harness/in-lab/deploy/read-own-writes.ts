/**
 * Runs in the lab's `server` container after the load: which writes of a service of the user's own are stored. Its arguments
 * are a {@link WritesQuestion} as JSON, and a file with the id of every write, a line each; the first line of its output is a
 * {@link DatabaseState}, each further one a {@link StoredNote}, all JSON.
 */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../base/errors.ts';
import type { DatabaseState, StoredNote } from '../../run/files/notes.ts';
import { storedIds, type WritesQuestion } from './writes-question.ts';

/** Only SQLite says what state it is in. */
function stateOf(question: WritesQuestion): DatabaseState {
  if (!('sql' in question)) return { integrity: '', journalMode: '', walBytes: 0 };
  const database = new DatabaseSync(question.database);
  const pragma = (name: string): string => database.prepare(`PRAGMA ${name}`).all().flatMap(Object.values).join('; ');
  return { integrity: pragma('integrity_check'), journalMode: pragma('journal_mode'), walBytes: 0 };
}

try {
  const [, , asked = '', idsFile = ''] = process.argv;
  const question = JSON.parse(asked) as WritesQuestion;
  const sent = readFileSync(idsFile, 'utf8').split('\n');
  const ids = await storedIds(
    question,
    sent.filter((line) => line !== ''),
  );
  process.stdout.write(`${JSON.stringify(stateOf(question))}\n`);
  const times = new Map<string, number>();
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  for (const [id, count] of times) {
    // When it was written nobody tells.
    process.stdout.write(`${JSON.stringify({ id, times: count, versions: '', writtenUs: 1 } satisfies StoredNote)}\n`);
  }
} catch (error) {
  // Without its stack, which is the harness's own.
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
