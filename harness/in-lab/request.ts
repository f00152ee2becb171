/** The bytes of a request, and whether an answer is the one it asked for. */
import type { Method } from '../base/methods.ts';
import { note, primedNoteId, requestIdPrefix, slept } from '../run/site-requests.ts';
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

/** The request of slot `seq`. */
export function prepareRequest(
  plan: Pick<LoadPlan, 'runId' | 'trial' | 'hostHeader' | 'primedNotes'>,
  entry: PlanMixEntry,
  seq: number,
  connection: 'new' | 'kept',
): PreparedRequest {
  const requestId = `${requestIdPrefix(plan.runId, plan.trial)}${seq}`;
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
