/** The requests of a load on the lab's own site: their ids, what they ask for, and the body that answers each. */
import { crc32 } from 'node:zlib';
import type { Method } from '../base/methods.ts';

/** The deadline of a request in the lab: above busy_timeout (20 s), and the proxy's dial timeout (30 s). */
export const labDeadlineMs = 30_000;

/** Notes that are written before the load, to be read by it. */
export const labPrimedNotes = 50;

/** What the direct probe asks for, by GET on a connection of its own each. */
export const probePath = '/livez';

/** What the id of every request of a load begins with; the slot's number follows. */
export function requestIdPrefix(runId: string, trial: number): string {
  return `${runId}-${trial}-`;
}

/** The direct probe is a load of its own, with its own run id. */
export function probeRunId(runId: string): string {
  return `${runId}-direct`;
}

/** What tells one request from another. */
export interface RequestNames {
  readonly method: Method;
  readonly path: string;
  readonly requestId: string;
}

const dots = '.'.repeat(32);

/** Text of the note with this id: known to whoever knows the id, so that a mixed-up answer is seen. */
export function noteText(id: string): string {
  return `note ${id} ${dots}`;
}

/** The note with this id. */
export function note(id: string): { id: string; text: string } {
  return { id, text: noteText(id) };
}

/** What `/slow` answers. */
export function slept(path: string): { sleptMs: number } {
  return { sleptMs: askedMs(path) };
}

/**
 * CRC-32 of the body with which the lab's own site answers a request: of the note that was written or asked for, or of
 * how long it slept; null for a path that the load does not know.
 */
export function expectedBodyCrc32({ method, path, requestId }: RequestNames): number | null {
  if (method === 'POST' && path === '/notes') return crc32(noteBody(requestId));
  let known = crcOfPath.get(path);
  if (known === undefined) {
    known = bodyCrc32Of(path);
    if (crcOfPath.size === mostPaths) crcOfPath.clear();
    crcOfPath.set(path, known);
  }
  return known;
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

/** The time, in milliseconds, that a path asks the site to take: the N of `/slow?ms=N`, else 0. */
export function askedMs(path: string): number {
  // Of a million rows nearly all say so with their first letters.
  if (!path.startsWith('/slow?ms=')) return 0;
  const match = /^\/slow\?ms=(\d+)$/u.exec(path);
  return match === null ? 0 : Number(match[1]);
}
