/** Reads Traefik's access log (JSON lines): what arrived at the proxy, and what it answered. */

/** One request that arrived at the proxy. */
export interface AccessLine {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** The status that the client got. */
  readonly status: number;
  /** The status that the site gave; 0 when none came. */
  readonly originStatus: number;
  /** Wall clock, microseconds since 1970. */
  /** Bytes of the answer's body. */
  readonly bytes: number;
  readonly startWallUs: number;
  readonly durationUs: number;
  /** host:port of the backend that was asked; undefined where none was. */
  readonly backend: string | undefined;
  /** How often the proxy tried again. */
  readonly retries: number;
  /** The version that the site's answer named. */
  readonly version: string | undefined;
}

/**
 * One line of the log.
 * @throws {SyntaxError} when it is no JSON
 */
export function parseAccessLine(line: string): AccessLine {
  const fields = JSON.parse(line) as Record<string, string | number | undefined>;
  return {
    requestId: String(fields['request_X-Request-Id'] ?? ''),
    method: String(fields['RequestMethod']),
    path: String(fields['RequestPath']),
    status: Number(fields['DownstreamStatus']),
    originStatus: Number(fields['OriginStatus'] ?? 0),
    bytes: Number(fields['DownstreamContentSize'] ?? 0),
    startWallUs: wallUsOf(String(fields['StartUTC'])),
    durationUs: Number(fields['Duration']) / 1000,
    backend: fields['ServiceAddr'] === undefined ? undefined : String(fields['ServiceAddr']),
    retries: Number(fields['RetryAttempts'] ?? 0),
    version: fields['origin_X-App-Version'] === undefined ? undefined : String(fields['origin_X-App-Version']),
  };
}

/** Microseconds since 1970 of an RFC 3339 time in UTC with up to nine decimals. */
export function wallUsOf(time: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/u.exec(time);
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = ''] = match;
  return Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(9, '0')) / 1000;
}
