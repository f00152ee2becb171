/** How an answer leaves: whole, with its length, and with the names of who gave it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import type { Identity } from './log.ts';

/** An answer before it is sent. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log: what the store said of a write. */
  readonly store?: { readonly waitMs: number; readonly code: string };
}

/** The headers that every answer of this process carries. */
export function identityHeaders({ version, instance }: Identity): Record<string, string> {
  return { 'X-App-Version': version, 'X-App-Instance': instance };
}

/** An answer that says what went wrong: `error` is a code for programs, `message` a sentence for people. */
export function problem(status: number, error: string, message: string, headers: Record<string, string> = {}): Answer {
  return { status, body: { error, message }, headers };
}

/** The answer to a path that nothing is served at. */
export const noSuchPath = problem(404, 'NOT_FOUND', 'There is nothing at this path.');

/** The answer to a method that the path does not know. */
export function wrongMethod(allowed: string): Answer {
  return problem(405, 'METHOD_NOT_ALLOWED', `This path knows only ${allowed}.`, { Allow: allowed });
}

/** Whether the method is one that only reads; HEAD is GET without the body, which Node leaves out by itself. */
export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The path of a request without its query, and the query. Never throws, whatever the client wrote. */
export function splitUrl(url = '/'): { readonly path: string; readonly query: URLSearchParams } {
  const [path = '', ...rest] = url.split('?');
  return { path, query: new URLSearchParams(rest.join('?')) };
}

/**
 * Sends the whole answer as JSON. With `last`, the connection ends with it, and the client is told so. Does nothing if
 * the connection has died.
 * @returns the CRC-32 of the body
 */
export function send(
  response: ServerResponse,
  identity: Identity,
  last: boolean,
  { status, body, headers }: Answer,
): number | undefined {
  if (response.destroyed) return undefined;
  const content = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...identityHeaders(identity),
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': content.length,
    ...(last && { Connection: 'close' }),
  });
  response.end(content);
  return crc32(content);
}
