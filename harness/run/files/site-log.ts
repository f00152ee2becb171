/** witnesses/site-requests.ndjson.gz: the site's own log, as app-under-test/log.ts writes it. */
import { finite, integerFrom, objectWith, oneOf, optional, orNull, text, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** One line for each try of a request that reached the site. */
export const siteLogFile = {
  name: runFiles.requestLog,
  what: "line of the site's log",
  about: "The site's own log: a line for each request that it read, or for each try of one.",
  fields: {
    request: orNull(text('The id of the request.')),
    method: text('Method.'),
    path: text('Path and query.'),
    receivedUs: integerFrom(0, 'When its headers had been read, CLOCK_MONOTONIC, µs.'),
    status: orNull(integerFrom(0, 'Status of the answer; null if the connection died before there was one.')),
    answeredUs: integerFrom(0, 'Just before the answer was written, or when the connection died, CLOCK_MONOTONIC, µs.'),
    bodyCrc32: optional(integerFrom(0, "CRC-32 of the answer's body; not there if none was written.")),
    store: optional(
      objectWith(
        {
          waitMs: finite('How long SQLite took to grant the lock, ms.'),
          code: text('OK, or SQLite’s name of what went wrong.'),
        },
        'Of a write that reached the database: its wait, and what SQLite said.',
      ),
    ),
    version: text('Version of the process.'),
    instance: text("The process's own name for itself (pid-starttime)."),
    outcome: optional(oneOf(['cut'], 'Only there if the connection died before the answer was complete.')),
  },
} as const;

/** One line of the site's log. */
export type SiteLine = RecordOf<(typeof siteLogFile)['fields']>;
