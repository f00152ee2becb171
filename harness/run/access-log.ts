/** Reads Traefik's access log (JSON lines): what arrived at the proxy, and what it answered. */

import { gzippedKnown } from './gzipped-lines.ts';
import { finite, integerFrom, lineForm, optional, text, type FieldForm } from './line-form.ts';
import { keyOf, type LineReader } from './line-reader.ts';

/** One request that arrived at the proxy. */
export interface AccessLine {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** The status that the client got. */
  readonly status: number;
  /** Bytes of the answer's body. */
  readonly bytes: number;
  /** Wall clock, microseconds since 1970. */
  readonly startWallUs: number;
  readonly durationUs: number;
  /** host:port of the backend that was asked; undefined where none was. */
  readonly backend: string | undefined;
  /** The version that the site's answer named; without one, the answer is the proxy's own. */
  readonly version: string | undefined;
}

/** The fields of a line of the log that are read; containers/edge keeps no others. */
export type AccessFields = Readonly<Record<string, string | number | undefined>>;

/** What a line's fields say. */
export function accessLineOf(fields: AccessFields): AccessLine {
  const backend = fields['ServiceAddr'];
  const version = fields['origin_X-App-Version'];
  return {
    requestId: String(fields['request_X-Request-Id'] ?? ''),
    method: String(fields['RequestMethod']),
    path: String(fields['RequestPath']),
    status: Number(fields['DownstreamStatus']),
    bytes: Number(fields['DownstreamContentSize'] ?? 0),
    startWallUs: wallUsOf(String(fields['StartUTC'])),
    durationUs: Number(fields['Duration']) / 1000,
    backend: backend === undefined ? undefined : String(backend),
    version: version === undefined ? undefined : String(version),
  };
}

/**
 * The lines of a gzipped log, many at a time.
 * @throws {HarnessError} naming the file, and the line that is none of such a log
 */
export function readAccessLog(path: string): AsyncGenerator<AccessLine[]> {
  return gzippedKnown(path, knownLine, (fields, place) => accessLineOf(formOfLine(fields, place)));
}

const utcTime: FieldForm = {
  admits: (value) => typeof value === 'string' && !Number.isNaN(wallUsOf(value)),
  words: 'a time in UTC (RFC 3339)',
};

const nanoseconds: FieldForm = {
  admits: (value) => finite.admits(value) && (value as number) >= 0,
  words: 'a number of nanoseconds from 0',
};

/** Nobody but the load sends an id, and only a backend's own answer has an address and a version. */
const formOfLine = lineForm<AccessFields>("line of the proxy's access log", {
  DownstreamContentSize: optional(integerFrom(0)),
  DownstreamStatus: integerFrom(0),
  Duration: nanoseconds,
  RequestMethod: text,
  RequestPath: text,
  ServiceAddr: optional(text),
  StartUTC: utcTime,
  'origin_X-App-Version': optional(text),
  'request_X-Request-Id': optional(text),
});

const keys = {
  bytes: keyOf('DownstreamContentSize'),
  status: keyOf('DownstreamStatus'),
  duration: keyOf('Duration'),
  method: keyOf('RequestMethod'),
  path: keyOf('RequestPath'),
  backend: keyOf('ServiceAddr'),
  start: keyOf('StartUTC'),
  downstreamVersion: keyOf('downstream_X-App-Version'),
  level: keyOf('level'),
  message: keyOf('msg'),
  version: keyOf('origin_X-App-Version'),
  request: keyOf('request_X-Request-Id'),
  time: keyOf('time'),
};

/** A line as Traefik writes it: fields in the order of their names. */
function knownLine(line: LineReader): AccessLine {
  const bytes = line.integer(keys.bytes);
  const status = line.integer(keys.status);
  const durationNs = line.integer(keys.duration);
  const method = line.word(keys.method);
  const path = line.word(keys.path);
  const backend = line.optionalWord(keys.backend);
  const startWallUs = line.textAs(keys.start, wallUsOfBytes, Number.NaN);
  if (Number.isNaN(startWallUs)) line.refuse();
  line.optionalWord(keys.downstreamVersion);
  line.skipText(keys.level);
  line.skipText(keys.message);
  const version = line.optionalWord(keys.version);
  const requestId = line.optionalText(keys.request) ?? '';
  line.skipText(keys.time);
  return { requestId, method, path, status, bytes, startWallUs, durationUs: durationNs / 1000, backend, version };
}

/** The second that was read last, in ASCII, up to the point before its decimals: lines of one second follow each other. */
const lastSecond = { ascii: new Uint8Array(0), wallUs: 0 };

/** Microseconds since 1970 of an RFC 3339 time in UTC with up to nine decimals; NaN of anything else. */
export function wallUsOf(time: string): number {
  const bytes = Buffer.from(time);
  return wallUsOfBytes(bytes, 0, bytes.length);
}

function wallUsOfBytes(bytes: Buffer, from: number, end: number): number {
  const nanoseconds = isLastSecond(bytes, from) ? fractionOf(bytes, from + fractionAt, end) : -1;
  if (nanoseconds >= 0) return lastSecond.wallUs + nanoseconds / 1000;
  const time = bytes.toString('utf8', from, end);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/u.exec(time);
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = ''] = match;
  lastSecond.ascii = Buffer.from(`${seconds}.`);
  lastSecond.wallUs = Date.parse(`${seconds}Z`) * 1000;
  return lastSecond.wallUs + Number(fraction.padEnd(9, '0')) / 1000;
}

/** Where the decimals begin. */
const fractionAt = 'YYYY-MM-DDTHH:MM:SS.'.length;

function isLastSecond(bytes: Uint8Array, from: number): boolean {
  const { ascii } = lastSecond;
  for (let index = ascii.length - 1; index >= 0; index--) if (bytes[from + index] !== ascii[index]) return false;
  return ascii.length > 0;
}

/** Nanoseconds of one to nine decimals and a `Z`; −1 where there is anything else. */
function fractionOf(bytes: Uint8Array, from: number, end: number): number {
  const digits = end - 1 - from;
  if (digits < 1 || digits > 9 || bytes[end - 1] !== 0x5a) return -1;
  let value = 0;
  for (let index = from; index < end - 1; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value * (powersOfTen[9 - digits] ?? 1);
}

const powersOfTen = Array.from({ length: 9 }, (_, power) => 10 ** power);
