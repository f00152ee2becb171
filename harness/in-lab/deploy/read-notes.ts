/**
 * Runs in the lab's `server` container when every process of the sites is stopped: what their databases hold, read only.
 * Arguments: `name=path` for each site. The first line is a {@link DatabaseState}, each further one a {@link StoredNote}, all
 * JSON.
 */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { DatabaseState, StoredNote } from '../../run/files/notes.ts';

interface Opened extends DatabaseState {
  readonly site: string;
  readonly database: DatabaseSync;
}

function open(argument: string): Opened {
  const [site = '', path = ''] = argument.split('=');
  // Not opened read-only: what a killed writer left in the write-ahead log is recovered, as the next start would do.
  const walBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const database = new DatabaseSync(path);
  const pragma = (name: string): string => database.prepare(`PRAGMA ${name}`).all().flatMap(Object.values).join('; ');
  return { site, database, walBytes, integrity: pragma('integrity_check'), journalMode: pragma('journal_mode') };
}

function stateOf(all: readonly Opened[]): DatabaseState {
  const damaged = all.filter(({ integrity }) => integrity !== 'ok');
  return {
    integrity:
      all.length === 1 || damaged.length === 0
        ? (all[0]?.integrity ?? '')
        : damaged.map(({ site, integrity }) => `${site}: ${integrity}`).join('; '),
    journalMode: [...new Set(all.map(({ journalMode }) => journalMode))].join('; '),
    walBytes: all.reduce((sum, { walBytes }) => sum + walBytes, 0),
  };
}

function writeNotes({ site, database }: Opened, isOnly: boolean): void {
  // As text: a number beyond 2^31 would become a floating-point one.
  database.function('crc32', (value) => String(crc32(String(value))));
  const notes = database.prepare(
    'SELECT id, count(*) AS times, group_concat(DISTINCT version) AS versions, min(atUs) AS writtenUs, ' +
      'group_concat(DISTINCT crc32(text)) AS textCrc32s FROM notes GROUP BY id ORDER BY min(seq)',
  );
  for (const note of notes.iterate() as Iterable<unknown> as Iterable<StoredNote>)
    process.stdout.write(`${JSON.stringify(isOnly ? note : { ...note, site })}\n`);
}

const all = process.argv.slice(2).map(open);
process.stdout.write(`${JSON.stringify(stateOf(all))}\n`);
for (const opened of all) writeNotes(opened, all.length === 1);
