/** witnesses/notes.ndjson.gz: what the site's database holds at the end (in-lab/read-notes.ts). */

/** The database as a whole. */
export interface DatabaseState {
  /** What `PRAGMA integrity_check` said: `ok`, or what is wrong. */
  readonly integrity: string;
  readonly journalMode: string;
  /** Bytes in the write-ahead log, which a clean end leaves empty. */
  readonly walBytes: number;
}

/** All rows of one id. */
export interface StoredNote {
  readonly id: string;
  readonly times: number;
  /** The versions that wrote them, with commas. */
  readonly versions: string;
  /** When the first of them was written, by the site's own stamp (CLOCK_MONOTONIC). */
  readonly writtenUs: number;
  /** CRC-32 of their texts, each once, with commas; absent in the files of older runs. */
  readonly textCrc32s?: string;
}
