/** Reads Traefik's access log (JSON lines): what arrived at the proxy, and what it answered. */

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

/** Microseconds since 1970 of an RFC 3339 time in UTC with up to nine decimals. */
export function wallUsOf(time: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/u.exec(time);
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = ''] = match;
  return Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(9, '0')) / 1000;
}
