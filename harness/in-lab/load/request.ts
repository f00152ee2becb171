/** The bytes of a request, and whether an answer is the one it asked for. */
import type { OutgoingHttpHeaders } from 'node:http2';
import type { Method } from '../../base/methods.ts';
import { siteIndexOf } from '../../experiment/units.ts';
import { note, primedNoteId, requestIdPrefix, slept } from '../../run/site-requests.ts';
import type { BodyLimits } from '../connection/answer.ts';
import { filledRequest, type AnswerCheck, type CheckedEntry } from './mixed-request.ts';
import type { FixedRequest, LoadPlan, MixedRequest, PlanMixEntry } from './plan.ts';

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

/** The request of slot `seq`. */
export function prepareRequest(
  plan: Pick<LoadPlan, 'runId' | 'trial' | 'hostHeaders' | 'primedNotes'> & Partial<Pick<LoadPlan, 'http' | 'tls'>>,
  entry: CheckedEntry,
  seq: number,
  connection: 'new' | 'kept',
): PreparedRequest {
  const requestId = `${requestIdPrefix(plan.runId, plan.trial)}${seq}`;
  const common = { hostHeader: hostHeaderOf(plan, seq), requestId, connection, ...schemeOf(plan) };
  if (entry.fixed !== undefined) return fixedRequest(entry, entry.fixed, common);
  if (entry.mixed !== undefined) return mixedRequest(entry, entry.mixed, seq, common);
  if (entry.method === 'POST') return writeNote(entry.path, requestId, common);
  if (entry.path !== '/notes/:id') return get(entry.path, slept(entry.path), common);
  const noteId = primedNoteId(plan.runId, seq % plan.primedNotes);
  return get(`/notes/${noteId}`, note(noteId), common);
}

function schemeOf({ http, tls }: Partial<Pick<LoadPlan, 'http' | 'tls'>>): Pick<Common, 'scheme'> {
  return http === undefined ? {} : { scheme: tls === null ? 'http' : 'https' };
}

/** Of the site whose turn it is. */
function hostHeaderOf({ hostHeaders }: Pick<LoadPlan, 'hostHeaders'>, seq: number): string {
  return hostHeaders[siteIndexOf(seq, hostHeaders.length)] ?? hostHeaders[0];
}

/** A POST that writes the note `noteId`. */
export function writeNote(path: string, noteId: string, common: Common): PreparedRequest {
  const written = note(noteId);
  const body = JSON.stringify(written);
  const entity = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  return {
    method: 'POST',
    path,
    requestId: common.requestId,
    bytes: Buffer.from(`${head('POST', path, common)}${entity}`),
    expectedStatus: 201,
    isExpectedBody: holds(written),
  };
}

function get(path: string, expected: object, common: Common): PreparedRequest {
  return {
    method: 'GET',
    path,
    requestId: common.requestId,
    bytes: Buffer.from(`${head('GET', path, common)}\r\n`),
    expectedStatus: 200,
    isExpectedBody: holds(expected),
  };
}

function fixedRequest(
  { method, path }: PlanMixEntry,
  { target, headers, bodyBase64, expectedStatus }: FixedRequest,
  common: Common,
): PreparedRequest {
  const body = bodyBase64 === null ? null : bodyOfBase64(bodyBase64);
  return written({ method, path, target: target ?? path, headers, body, expectedStatus }, common);
}

function mixedRequest(
  { method, path, check }: CheckedEntry,
  mixed: MixedRequest,
  seq: number,
  common: Common,
): PreparedRequest {
  const { target, headers, body: filled } = filledRequest(mixed, common.requestId, seq);
  const { name, body: given, expected } = mixed;
  const body = given !== null && 'base64' in given ? bodyOfBase64(given.base64) : filled;
  return {
    ...written({ method, path, target, headers, body, expectedStatus: expected.status }, common),
    name,
    ...(check !== undefined && { check }),
  };
}

interface Written extends Pick<PreparedRequest, 'method' | 'path' | 'expectedStatus'> {
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
}

/** A request whose answer may have any body. */
function written({ method, path, target, headers, body, expectedStatus }: Written, common: Common): PreparedRequest {
  // RFC 9110, 8.6: a method that anticipates a body says so when it has none.
  const hasLength = body !== null || method === 'POST' || method === 'PUT' || method === 'PATCH';
  const bodyLength = body?.length ?? 0;
  const shared = { method, path, requestId: common.requestId, expectedStatus, isExpectedBody: null };
  const withBody = body === null || bodyLength === 0 ? shared : { ...shared, body };
  if (common.scheme !== undefined) {
    const fields = fieldsOf({ method, target, headers }, common);
    if (hasLength) fields['content-length'] = bodyLength;
    return { ...withBody, bytes: noBytes, fields };
  }
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = hasLength ? `Content-Length: ${bodyLength}\r\n` : '';
  return { ...withBody, bytes: Buffer.from(`${head(method, target, common)}${lines}${length}\r\n`) };
}

const noBytes = Buffer.alloc(0);

/** The head of a request on a stream (RFC 9113, 8.3). */
function fieldsOf(
  { method, target, headers }: Pick<Written, 'method' | 'target' | 'headers'>,
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
