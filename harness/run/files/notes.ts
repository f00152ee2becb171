/** witnesses/notes.ndjson.gz: what the database held when every process had stopped; its first line is of the database itself. */
import { integerFrom, optional, text, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** The first line. */
export const databaseStateFile = {
  name: runFiles.notes,
  what: 'state of a database',
  about: "The first line of the notes: the database's own state.",
  fields: {
    integrity: text(
      'What `PRAGMA integrity_check` said: `ok`, or what is wrong; of several databases, of each that is not.',
    ),
    journalMode: text('The journal mode.'),
    walBytes: integerFrom(0, 'Bytes in the write-ahead log, which a clean end leaves empty.'),
  },
} as const;

/** All further lines: the rows of one id each. */
export const notesFile = {
  name: runFiles.notes,
  what: 'note',
  about: 'The notes in the database when every process had stopped, a line for each id.',
  fields: {
    id: text('Id of the note: that of the request that wrote it.'),
    times: integerFrom(1, 'How many rows have this id.'),
    versions: text('The versions that wrote them, with commas.'),
    writtenUs: integerFrom(1, 'When the first of them was written, by the site’s own stamp (CLOCK_MONOTONIC), µs.'),
    textCrc32s: optional(text('CRC-32 of their texts, each once, with commas.')),
    site: optional(text('Of several sites, the one whose database holds it.')),
  },
} as const;

/** The state of the database. */
export type DatabaseState = RecordOf<(typeof databaseStateFile)['fields']>;
/** All rows of one id. */
export type StoredNote = RecordOf<(typeof notesFile)['fields']>;
