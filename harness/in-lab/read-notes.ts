/**
 * Runs in the lab's `server` container when every process of the site is stopped: what the database holds, read only.
 * Argument: its path. The first line is a {@link DatabaseState}, each further one a {@link StoredNote}, all JSON.
 */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { DatabaseState, StoredNote } from '../run/files/notes.ts';

const [path = ''] = process.argv.slice(2);
// Not opened read-only: what a killed writer left in the write-ahead log is recovered, as the next start would do.
const walBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
const database = new DatabaseSync(path);
const pragma = (name: string): string => database.prepare(`PRAGMA ${name}`).all().flatMap(Object.values).join('; ');
const state: DatabaseState = { integrity: pragma('integrity_check'), journalMode: pragma('journal_mode'), walBytes };
process.stdout.write(`${JSON.stringify(state)}\n`);
// As text: a number beyond 2^31 would become a floating-point one.
database.function('crc32', (value) => String(crc32(String(value))));
const notes = database.prepare(
  'SELECT id, count(*) AS times, group_concat(DISTINCT version) AS versions, min(atUs) AS writtenUs, ' +
    'group_concat(DISTINCT crc32(text)) AS textCrc32s FROM notes GROUP BY id ORDER BY min(seq)',
);
for (const note of notes.iterate() as Iterable<unknown> as Iterable<StoredNote>)
  process.stdout.write(`${JSON.stringify(note)}\n`);
