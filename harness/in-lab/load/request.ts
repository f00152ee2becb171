/** The bytes of a request, and whether an answer is the one it asked for. */
import type { OutgoingHttpHeaders } from 'node:http2';
import type { Method } from '../../base/methods.ts';
import { siteIndexOf } from '../../experiment/units.ts';
import { note, primedNoteId, requestIdPrefix, slept } from '../../run/site-requests.ts';
import type { BodyLimits } from '../connection/answer.ts';
import { filledRequest, type AnswerCheck, type CheckedEntry } from './mixed-request.ts';
import type { LoadPlan } from './plan.ts';

/** A request ready to be written, once. */
export interface PreparedRequest {
  readonly method: Method;
  readonly path: string;
  readonly requestId: string;
  readonly bytes: Buffer;
  /** In place of its bytes, where HTTP/2 is spoken: its head. */
  readonly fields?: OutgoingHttpHeaders;
  /** What follows them: a body that all requests of a kind share, however large. */
  readonly body?: Buffer;
  /** null stands for any status from 200 to 299. */
  readonly expectedStatus: number | null;
  /** Is this the body that the request asks for? Null where any is; the body itself is null where it is far too long. */
  readonly isExpectedBody: ((body: Buffer | null) => boolean) | null;
  /** Its name, where it is one of a mix that the user wrote. */
  readonly name?: string;
  /** What such an answer must be beside its status. */
  readonly check?: AnswerCheck;
}

/** Enough for the lab's site: a larger body is not the expected one. */
export const siteBodyBytes = 1024 * 1024;
/** Most bytes of an answer that is held against an expectation of the user's, and so in memory, whole. */
const mostComparedBytes = 64 * 1024 * 1024;

/** How much is read of the answer to a request. */
export function bodyLimits({ isExpectedBody, check }: PreparedRequest, maxAnswerBytes: number): BodyLimits {
  if (check?.needsBody === true) {
    return { keptBytes: mostComparedBytes, maxAnswerBytes: Math.min(maxAnswerBytes, mostComparedBytes) };
  }
  return { keptBytes: isExpectedBody === null ? 0 : siteBodyBytes, maxAnswerBytes };
}

/** What every request says of itself. */
interface Common {
  readonly hostHeader: string;
  readonly requestId: string;
  readonly connection: 'new' | 'kept';
  /** Where HTTP/2 is spoken. */
  readonly scheme?: 'http' | 'https';
}

/** What is asked, and what is taken for the answer. */
interface Asked extends Omit<PreparedRequest, 'requestId' | 'bytes' | 'fields' | 'body'> {
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
}

/** The request of slot `seq`. */
export function prepareRequest(
  plan: Pick<LoadPlan, 'runId' | 'trial' | 'hostHeaders' | 'primedNotes'> & Partial<Pick<LoadPlan, 'http' | 'tls'>>,
  entry: CheckedEntry,
  seq: number,
  connection: 'new' | 'kept',
): PreparedRequest {
  const { runId, trial, hostHeaders, primedNotes, http, tls } = plan;
  const requestId = `${requestIdPrefix(runId, trial)}${seq}`;
  // The sites take turns.
  const hostHeader = hostHeaders[siteIndexOf(seq, hostHeaders.length)] ?? hostHeaders[0];
  const common: Common = { hostHeader, requestId, connection };
  const asked = ofUser(entry, requestId, seq) ?? ofSite(entry, requestId, primedNoteId(runId, seq % primedNotes));
  return written(asked, http === undefined ? common : { ...common, scheme: tls === null ? 'http' : 'https' });
}

/** A POST that writes the note `noteId` to the lab's site. */
export function writeNote(noteId: string, common: Common): PreparedRequest {
  return written(noteWriting('/notes', noteId), common);
}

/** What the user's own request asks; null where the entry is of the lab's site. */
function ofUser({ method, path, fixed, mixed, check }: CheckedEntry, requestId: string, seq: number): Asked | null {
  if (fixed !== undefined) {
    const { target = path, headers, bodyBase64, expectedStatus } = fixed;
    const body = bodyBase64 === null ? null : bodyOfBase64(bodyBase64);
    return { method, path, target, headers, body, expectedStatus, isExpectedBody: null };
  }
  if (mixed === undefined) return null;
  const { name, body, expected } = mixed;
  const request = { method, path, name, ...filledRequest(mixed, requestId, seq) };
  return {
    ...request,
    expectedStatus: expected.status,
    isExpectedBody: null,
    ...(body !== null && 'base64' in body && { body: bodyOfBase64(body.base64) }),
    ...(check !== undefined && { check }),
  };
}

function ofSite({ method, path }: CheckedEntry, requestId: string, primedId: string): Asked {
  if (method === 'POST') return noteWriting(path, requestId);
  const [target, expected] = path === '/notes/:id' ? [`/notes/${primedId}`, note(primedId)] : [path, slept(path)];
  const isExpectedBody = holds(expected);
  return { method: 'GET', path: target, target, headers: [], body: null, expectedStatus: 200, isExpectedBody };
}

function noteWriting(path: string, noteId: string): Asked {
  const sent = note(noteId);
  const headers = [['Content-Type', 'application/json']] as const;
  const body = Buffer.from(JSON.stringify(sent));
  return { method: 'POST', path, target: path, headers, body, expectedStatus: 201, isExpectedBody: holds(sent) };
}

function written({ target, headers, body, ...asked }: Asked, common: Common): PreparedRequest {
  const { method } = asked;
  // RFC 9110, 8.6: a method that anticipates a body says so when it has none.
  const hasLength = body !== null || method === 'POST' || method === 'PUT' || method === 'PATCH';
  const bodyLength = body?.length ?? 0;
  const request = { ...asked, requestId: common.requestId, ...(body !== null && bodyLength > 0 && { body }) };
  if (common.scheme !== undefined) {
    const fields = fieldsOf({ method, target, headers }, common);
    if (hasLength) fields['content-length'] = bodyLength;
    return { ...request, bytes: noBytes, fields };
  }
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = hasLength ? `Content-Length: ${bodyLength}\r\n` : '';
  return { ...request, bytes: Buffer.from(`${head(method, target, common)}${lines}${length}\r\n`) };
}

const noBytes = Buffer.alloc(0);

/** The head of a request on a stream (RFC 9113, 8.3). */
function fieldsOf(
  { method, target, headers }: Pick<Asked, 'method' | 'target' | 'headers'>,
  { hostHeader, requestId, scheme }: Common,
): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {
    ':method': method,
    ':authority': hostHeader,
    ':scheme': scheme,
    ':path': target,
    'x-request-id': requestId,
  };
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat().map(String);
  }
  return fields;
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
const mostBodies = 100;

function head(method: string, path: string, { hostHeader, requestId, connection }: Common): string {
  return (
    `${method} ${path} HTTP/1.1\r\nHost: ${hostHeader}\r\n` +
    `X-Request-Id: ${requestId}\r\nConnection: ${connection === 'new' ? 'close' : 'keep-alive'}\r\n`
  );
}

/** Is the body JSON that has these values? */
function holds(expected: object): (body: Buffer | null) => boolean {
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
