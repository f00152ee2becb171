/** witnesses/access.ndjson.gz: Traefik's access log, a line for each request that it answered; containers/edge keeps these fields. */
import { integerFrom, optional, text, type Field } from './fields.ts';
import { runFiles } from '../run-folder.ts';

const utcTime: Field<string> = {
  about: 'When the proxy had it, RFC 3339 in UTC with nanoseconds.',
  admits: (value) => typeof value === 'string' && !Number.isNaN(wallUsOf(value)),
  words: 'a time in UTC (RFC 3339)',
  type: 'VARCHAR',
  wrongIf: (column) => `try_cast(${column} as timestamp_ns) is null or ${column} not like '%Z'`,
};

/** Nobody but the load sends an id, and only a backend's own answer has an address and a version. */
export const accessLogFile = {
  name: runFiles.accessLog,
  what: "line of the proxy's access log",
  about: "The proxy's access log: what arrived at it, and what it answered.",
  fields: {
    DownstreamContentSize: optional(integerFrom(0, "Bytes of the answer's body.")),
    DownstreamStatus: integerFrom(0, 'The status that the client got.'),
    Duration: integerFrom(0, 'From its arrival to the end of its answer, nanoseconds.'),
    RequestMethod: text('Method.'),
    RequestPath: text('Path and query.'),
    ServiceAddr: optional(text('host:port of the backend that was asked; not there where none was.')),
    StartUTC: utcTime,
    'origin_X-App-Version': optional(
      text("The version that the site's answer named; without one, the answer is the proxy's own."),
    ),
    origin_Date: optional(
      text(
        "When a backend gave the answer, by itself; kept of a service of the user's own, whose proxy gives none itself.",
      ),
    ),
    'request_X-Request-Id': optional(text('The id of the request.')),
  },
} as const;

/** Microseconds since 1970 of an RFC 3339 time in UTC with up to nine decimals; NaN of anything else. */
export function wallUsOf(time: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/u.exec(time);
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = ''] = match;
  return Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(9, '0')) / 1000;
}
