/** A line of an access log, whatever wrote it; null where it is of none that is known. Pure. */
import type { ServerLogLine } from '../../../run/files/server-log.ts';
import { wallUsOf } from '../../../run/files/access-log.ts';

/** What a line says. */
export interface LogLine extends Omit<ServerLogLine, 'log' | 'logLine' | 'seq' | 'path'> {
  readonly format: string;
  /** Path and query. */
  readonly target: string;
}

/** What the line says. */
export function logLineIn(line: string): LogLine | null {
  return line.startsWith('{') ? jsonLine(line) : (haproxyLine(line) ?? combinedLine(line));
}

const secondUs = 1_000_000;

type Fields = Readonly<Record<string, unknown>>;

function jsonLine(line: string): LogLine | null {
  let fields: Fields;
  try {
    fields = JSON.parse(line) as Fields;
  } catch {
    return null;
  }
  if ('DownstreamStatus' in fields) return traefikLine(fields);
  return typeof fields['request'] === 'object' && fields['request'] !== null
    ? caddyLine(fields, fields['request'] as Fields)
    : namedLine(fields);
}

function traefikLine(fields: Fields): LogLine | null {
  const atWallUs = wallUsOf(wordIn(fields, 'StartUTC') ?? '');
  if (Number.isNaN(atWallUs)) return null;
  return wholeLine({
    format: 'Traefik, JSON',
    atWallUs,
    withinUs: 0,
    method: wordIn(fields, 'RequestMethod'),
    target: wordIn(fields, 'RequestPath'),
    status: numberIn(fields, 'DownstreamStatus'),
    bytes: numberIn(fields, 'DownstreamContentSize'),
    durationUs: scaled(numberIn(fields, 'Duration'), 1e-3),
    upstream: wordIn(fields, 'ServiceAddr'),
  });
}

function caddyLine(fields: Fields, request: Fields): LogLine | null {
  // Its error log tells of the same requests once more.
  if (wordIn(fields, 'logger')?.startsWith('http.log.error') === true) return null;
  return wholeLine({
    format: 'Caddy, JSON',
    isEnd: true,
    ...stampOf(fields['ts']),
    method: wordIn(request, 'method'),
    target: wordIn(request, 'uri'),
    status: numberIn(fields, 'status'),
    bytes: numberIn(fields, 'size'),
    durationUs: scaled(numberIn(fields, 'duration'), 1e6),
  });
}

/** Names that people give to what nginx and others put into JSON. */
const names = {
  at: ['msec', 'time_msec', 'timestamp', '@timestamp', 'time_iso8601', 'time', 'ts', 'time_local'],
  method: ['request_method', 'method'],
  target: ['request_uri', 'uri', 'path', 'url'],
  request: ['request', 'request_line'],
  status: ['status', 'status_code', 'response_code'],
  bytes: ['body_bytes_sent', 'bytes_sent', 'bytes', 'size'],
  seconds: ['request_time', 'duration'],
  upstream: ['upstream_addr', 'upstream'],
  upstreamStatus: ['upstream_status'],
} as const;

function namedLine(fields: Fields): LogLine | null {
  const of = (key: keyof typeof names): string | undefined =>
    names[key].map((name) => wordIn(fields, name)).find((word) => word !== undefined && word !== '' && word !== '-');
  const [method, target] = (of('request') ?? '').split(' ');
  const stamps = names.at.map((name) => stampOf(fields[name])).filter(({ atWallUs }) => !Number.isNaN(atWallUs));
  const finest = stamps.toSorted((a, b) => a.withinUs - b.withinUs)[0];
  if (finest === undefined) return null;
  return wholeLine({
    format: 'JSON (nginx and others)',
    isEnd: true,
    ...finest,
    method: of('method') ?? method,
    target: of('target') ?? target,
    status: wholeNumber(of('status')),
    bytes: wholeNumber(of('bytes')),
    durationUs: scaled(wholeNumber(of('seconds')), 1e6),
    upstream: of('upstream'),
    upstreamStatus: of('upstreamStatus'),
  });
}

/** Of HAProxy's `option httplog`; whatever syslog puts before it does not matter. */
const haproxy =
  /\[(\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d)\.(\d{3})\] \S+ (\S+)\/(\S+) -?\d+\/-?\d+\/-?\d+\/-?\d+\/\+?(-?\d+) (-?\d+) \+?(\d+) \S+ \S+ (\S{4}) [\d/+]+ \d+\/\d+ (?:\{[^}]*\} )*"(\S+) (\S+)/u;

function haproxyLine(line: string): LogLine | null {
  const [, at, ms, backend, server, tookMs, status, bytes, state = '', method, target] = haproxy.exec(line) ?? [];
  if (at === undefined) return null;
  return wholeLine({
    format: 'HAProxy, httplog',
    // It writes the time of its own zone, and not which that is: here it is that of this process.
    atWallUs: (Date.parse(dateOf(at)) + Number(ms)) * 1000,
    withinUs: 1000,
    method,
    target,
    status: wholeNumber(status),
    bytes: wholeNumber(bytes),
    durationUs: scaled(wholeNumber(tookMs), 1000),
    upstream: server === '<NOSRV>' ? undefined : `${backend ?? ''}/${server ?? ''}`,
    said: server === '<NOSRV>' && state.startsWith('S') ? 'no server was up' : saidByState(state),
  });
}

/** Who ended the session, and in which step (HAProxy's documentation, 8.5). */
function saidByState(state: string): string | undefined {
  const who = { S: 'its upstream', s: 'the time of its upstream', C: 'the client', c: 'the time of the client' }[
    state.charAt(0)
  ];
  const step = state.charAt(1);
  if (state.startsWith('SC')) return 'its upstream refused';
  if (who === undefined) return undefined;
  const when = { C: 'before a connection stood', H: 'before an answer', D: 'within the answer', Q: 'in the queue' }[
    step
  ];
  return `${who} ended it ${when ?? 'early'}`;
}

/** The common log format, and all that begins like it: nginx, Apache, Traefik. */
const combined =
  /\[(\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d)(?:\.(\d{3}))? ([+-]\d{4})\] "(\S+) ((?:[^"\\ ]|\\.)+)[^"]*" (\d{3}|-) (\d+|-)(.*)$/u;
/** What Traefik appends: its number of the request, router, server, duration. */
const traefikRest = /^ "[^"]*" "[^"]*" \d+ "[^"]*" "([^"]*)" (\d+)ms/u;

function combinedLine(line: string): LogLine | null {
  const [, at, ms, zone, method, target, status, bytes, rest = ''] = combined.exec(line) ?? [];
  if (at === undefined) return null;
  const [, server, tookMs] = traefikRest.exec(rest) ?? [];
  const named = (name: string): string | undefined => new RegExp(`(?<=[ \\t])${name}="?([^" ]+)`, 'u').exec(rest)?.[1];
  return wholeLine({
    format: server === undefined ? 'combined (nginx, Apache)' : 'Traefik, common',
    atWallUs: (Date.parse(`${dateOf(at)} ${zone ?? ''}`) + Number(ms ?? 0)) * 1000,
    withinUs: ms === undefined ? secondUs : 1000,
    method,
    target,
    status: wholeNumber(status),
    bytes: wholeNumber(bytes),
    durationUs: scaled(wholeNumber(tookMs), 1000) ?? scaled(wholeNumber(named('rt')), 1e6),
    upstream: server ?? named('ua'),
    upstreamStatus: named('us'),
  });
}

/** `27/Nov/2026:13:42:41` as Date.parse reads it. */
function dateOf(text: string): string {
  return text.replace(/^(\d\d)\/(\w{3})\/(\d{4}):/u, '$1 $2 $3 ');
}

/** The line, if it has what every access log has. */
function wholeLine(
  said: { readonly [Key in keyof LogLine]?: LogLine[Key] | undefined } & Pick<
    LogLine,
    'format' | 'atWallUs' | 'withinUs'
  >,
): LogLine | null {
  const { method, target, status, atWallUs } = said;
  if (method === undefined || target === undefined || Number.isNaN(atWallUs)) return null;
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== '-'));
  // nginx has 000, Caddy 0, HAProxy -1 of a request that got no answer.
  const given = status === undefined || status === null || status <= 0 ? null : status;
  return { ...known, atWallUs: Math.round(atWallUs), status: given } as LogLine;
}

/** A time as a number of seconds, or as a text; a whole number of seconds is as coarse as that. */
function stampOf(value: unknown): { atWallUs: number; withinUs: number } {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
  const [, seconds, fraction] = /^(\d{9,10})(?:\.(\d+))?$/u.exec(text) ?? [];
  if (seconds !== undefined) return { atWallUs: Number(text) * 1e6, withinUs: coarseness(fraction) };
  const [, date, iso] = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,](\d+))?(?:Z|[+-]\d\d:?\d\d)?)$/u.exec(text) ?? [];
  if (date !== undefined)
    return { atWallUs: Date.parse(date.replace(',', '.')) * 1000, withinUs: coarseness(iso?.slice(0, 3)) };
  const [, local, zone] = /^(\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d) ([+-]\d{4})$/u.exec(text) ?? [];
  return {
    atWallUs: local === undefined ? NaN : Date.parse(`${dateOf(local)} ${zone ?? ''}`) * 1000,
    withinUs: secondUs,
  };
}

function coarseness(fraction = ''): number {
  return Math.max(1, Math.round(secondUs / 10 ** fraction.length));
}

function wordIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

function numberIn(fields: Fields, name: string): number | undefined {
  return wholeNumber(wordIn(fields, name));
}

function wholeNumber(text: string | undefined): number | undefined {
  return text === undefined || !/^-?\d+(?:\.\d+)?(?:e-?\d+)?$/u.test(text) ? undefined : Number(text);
}

/** In microseconds, whole; a negative one is none. */
function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined || value < 0 ? undefined : Math.round(value * by);
}
