/** The bytes of a request, and whether an answer is the one it asked for. */
import { crc32 } from 'node:zlib';
import type { Method } from '../base/methods.ts';
import type { FixedRequest, LoadPlan, PlanMixEntry } from './plan.ts';

/** A request ready to be written, once. */
export interface PreparedRequest {
  readonly method: Method;
  readonly path: string;
  readonly requestId: string;
  readonly bytes: Buffer;
  /** What follows them: a body that all requests of a kind share, however large. */
  readonly body?: Buffer;
  /** null stands for any status from 200 to 299. */
  readonly expectedStatus: number | null;
  /** Is this the body that the request asks for? Null where any is; the body itself is null where it is far too long. */
  readonly isExpectedBody: ((body: Buffer | null) => boolean) | null;
}

const dots = '.'.repeat(32);

/** Text of the note with this id: known to whoever knows the id, so that a mixed-up answer is seen. */
export function noteText(id: string): string {
  return `note ${id} ${dots}`;
}

function note(id: string): { id: string; text: string } {
  return { id, text: noteText(id) };
}

/** What `/slow` answers. */
function slept(path: string): { sleptMs: number } {
  return { sleptMs: askedMs(path) };
}

/**
 * CRC-32 of the body with which the lab's own site answers a request: of the note that was written or asked for, or of
 * how long it slept; null for a path that the load does not know.
 */
export function expectedBodyCrc32({
  method,
  path,
  requestId,
}: Pick<PreparedRequest, 'method' | 'path' | 'requestId'>): number | null {
  if (method === 'POST' && path === '/notes') return crc32(noteBody(requestId));
  let known = crcOfPath.get(path);
  if (known === undefined) {
    known = bodyCrc32Of(path);
    if (crcOfPath.size === mostPaths) crcOfPath.clear();
    crcOfPath.set(path, known);
  }
  return known;
}

/** How long that body is, in bytes; null for a path that the load does not know. */
export function expectedBodyBytes({
  method,
  path,
  requestId,
}: Pick<PreparedRequest, 'method' | 'path' | 'requestId'>): number | null {
  const body = method === 'POST' && path === '/notes' ? noteBody(requestId) : bodyOf(path);
  return body === null ? null : Buffer.byteLength(body);
}

/** JSON of a note; of an id without signs that JSON would write otherwise, put together, which a million rows feel. */
function noteBody(id: string): string {
  return isPlainId.test(id) ? `{"id":"${id}","text":"${noteText(id)}"}` : JSON.stringify(note(id));
}

const isPlainId = /^[\w-]*$/u;

function bodyCrc32Of(path: string): number | null {
  const body = bodyOf(path);
  return body === null ? null : crc32(body);
}

/** Of a GET. */
function bodyOf(path: string): string | null {
  if (path.startsWith('/notes/')) return JSON.stringify(note(path.slice('/notes/'.length)));
  return path.startsWith('/slow?') ? JSON.stringify(slept(path)) : null;
}

/** A load asks for few notes, a million times. */
const crcOfPath = new Map<string, number | null>();
const mostPaths = 1_000;

/** Id of a note that exists from before the load. */
export function primedNoteId(runId: string, index: number): string {
  return `${runId}-p${index}`;
}

/** The request of slot `seq`. */
export function prepareRequest(
  plan: Pick<LoadPlan, 'runId' | 'trial' | 'hostHeader' | 'primedNotes'>,
  entry: PlanMixEntry,
  seq: number,
  connection: 'new' | 'kept',
): PreparedRequest {
  const requestId = `${plan.runId}-${plan.trial}-${seq}`;
  const common = { hostHeader: plan.hostHeader, requestId, close: connection === 'new' };
  if (entry.fixed !== undefined) return fixedRequest(entry, entry.fixed, common);
  if (entry.method === 'POST') {
    return writeNote({ ...common, noteId: requestId, path: entry.path });
  }
  if (entry.path === '/notes/:id') {
    const noteId = primedNoteId(plan.runId, seq % plan.primedNotes);
    return get({ ...common, path: `/notes/${noteId}`, expected: note(noteId) });
  }
  return get({ ...common, path: entry.path, expected: slept(entry.path) });
}

function fixedRequest(
  { method, path }: PlanMixEntry,
  { target, headers, bodyBase64, expectedStatus }: FixedRequest,
  common: { hostHeader: string; requestId: string; close: boolean },
): PreparedRequest {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const body = bodyOfBase64(bodyBase64 ?? '');
  // RFC 9110, 8.6: a method that anticipates a body says so when it has none.
  const hasLength = bodyBase64 !== null || method === 'POST' || method === 'PUT' || method === 'PATCH';
  const length = hasLength ? `Content-Length: ${body.length}\r\n` : '';
  return {
    method,
    path,
    requestId: common.requestId,
    bytes: Buffer.from(`${head(method, { ...common, path: target ?? path })}${lines}${length}\r\n`),
    ...(body.length === 0 ? {} : { body }),
    expectedStatus,
    isExpectedBody: null,
  };
}

/** The bytes of a body; a load has few bodies, and asks for them in every slot. */
function bodyOfBase64(base64: string): Buffer {
  let body = bodies.get(base64);
  if (body === undefined) {
    body = Buffer.from(base64, 'base64');
    if (bodies.size === mostBodies) bodies.clear();
    bodies.set(base64, body);
  }
  return body;
}

const bodies = new Map<string, Buffer>();
const mostBodies = 10;

/** A POST that writes the note `noteId`. */
export function writeNote(options: {
  hostHeader: string;
  requestId: string;
  close: boolean;
  noteId: string;
  path: string;
}): PreparedRequest {
  const written = note(options.noteId);
  const body = JSON.stringify(written);
  return {
    method: 'POST',
    path: options.path,
    requestId: options.requestId,
    bytes: Buffer.from(
      `${head('POST', options)}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
    expectedStatus: 201,
    isExpectedBody: holds(written),
  };
}

/** The time, in milliseconds, that a path asks the site to take: the N of `/slow?ms=N`, else 0. */
export function askedMs(path: string): number {
  // Of a million rows nearly all say so with their first letters.
  if (!path.startsWith('/slow?ms=')) return 0;
  const match = /^\/slow\?ms=(\d+)$/u.exec(path);
  return match === null ? 0 : Number(match[1]);
}

function get(options: {
  hostHeader: string;
  requestId: string;
  close: boolean;
  path: string;
  expected: Record<string, unknown>;
}): PreparedRequest {
  return {
    method: 'GET',
    path: options.path,
    requestId: options.requestId,
    bytes: Buffer.from(`${head('GET', options)}\r\n`),
    expectedStatus: 200,
    isExpectedBody: holds(options.expected),
  };
}

function head(
  method: string,
  options: { hostHeader: string; requestId: string; close: boolean; path: string },
): string {
  return (
    `${method} ${options.path} HTTP/1.1\r\nHost: ${options.hostHeader}\r\n` +
    `X-Request-Id: ${options.requestId}\r\nConnection: ${options.close ? 'close' : 'keep-alive'}\r\n`
  );
}

function holds(expected: Record<string, unknown>): (body: Buffer | null) => boolean {
  return (body) => {
    if (body === null) return false;
    try {
      const answer: unknown = JSON.parse(body.toString('utf8'));
      if (typeof answer !== 'object' || answer === null) return false;
      return Object.entries(expected).every(([key, value]) => (answer as Record<string, unknown>)[key] === value);
    } catch {
      return false;
    }
  };
}
