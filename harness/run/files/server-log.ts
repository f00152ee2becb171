/**
 * witnesses/server-log.ndjson.gz: what the access logs of a service of the user's (--access-log) have of this load's requests.
 * Whatever else stands in those logs is counted (run.json) and not kept.
 */
import { flag, integerFrom, optional, orNull, text, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** A line of an access log that is of this load's, or, in a log without ids, may be. */
export const serverLogFile = {
  name: runFiles.serverLog,
  what: 'line of a server’s log',
  about: 'The access logs of a service of your own (--access-log): the lines of this load, put into one form.',
  fields: {
    log: integerFrom(1, 'Which --access-log it stood in, from 1.'),
    logLine: integerFrom(1, 'Its number among the lines that were read of it, from 1.'),
    seq: optional(
      integerFrom(
        0,
        'The slot of the request, by its id; not there in a log without ids: then method and path are ours.',
      ),
    ),
    isUnread: optional(
      flag('Only its id was read: its form is not known. Its times are 0, its method is empty, its status null.'),
    ),
    isOther: optional(
      flag(
        'It has the id, and another method or path than was asked: a proxy has changed them, or it is a call behind the request.',
      ),
    ),
    atWallUs: integerFrom(0, 'When, as the log has it, µs since 1970: it had the request, or (isEnd) had answered it.'),
    isEnd: optional(flag('The stamp is of the answer’s end.')),
    withinUs: integerFrom(0, 'How coarse that stamp is: up to so much later, µs.'),
    method: text('Method.'),
    path: optional(text('Of a line without an id: the path, as the ledger has it.')),
    status: orNull(integerFrom(0, 'The status that it answered; null where it gave none.')),
    bytes: optional(integerFrom(0, 'Bytes that it sent, as it counts them.')),
    durationUs: optional(integerFrom(0, 'How long it took, µs.')),
    upstream: optional(text('Whom it asked, where the log tells.')),
    upstreamStatus: optional(text('What that one answered, where the log tells.')),
    said: optional(text('What went wrong, where the log tells, in words of ours.')),
  },
} as const;

/** One line. */
export type ServerLogLine = RecordOf<(typeof serverLogFile)['fields']>;
