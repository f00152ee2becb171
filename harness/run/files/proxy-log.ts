/**
 * Reads Traefik's own log at DEBUG, each line behind the stamp that the engine gave it: why a try of the proxy failed, and
 * when its check found a backend up or down. The access log has neither.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzippedLines } from '../gzipped-lines.ts';
import { runFiles } from '../run-folder.ts';
import { wallUsOf } from './access-log.ts';

/** Why the proxy got no answer from the backend. */
export type FailureKind =
  /** Nobody listened: the request was never written. */
  | 'refused'
  /** The connection ended before the answer was complete; whether the request was read nobody can tell. */
  | 'reset'
  /** Dialling, or the answer, took too long. */
  | 'timeout'
  /** The client itself had gone. */
  | 'cancelled'
  /** Words that this file does not know. */
  | 'other';

/** What one line says; lines about anything else are left out. */
export type ProxyLogLine = {
  /** Number of the line in the file, from 1. */
  readonly line: number;
  /** Wall clock of the engine's kernel, microseconds since 1970. */
  readonly atWallUs: number;
} & Said;

type Said =
  | { readonly kind: 'failed-try'; readonly status: number; readonly failure: FailureKind; readonly error: string }
  | { readonly kind: 'another-try' }
  | { readonly kind: 'check'; readonly service: string; readonly server: string; readonly up: boolean }
  | { readonly kind: 'check-failed'; readonly service: string; readonly error: string };

/** One for every request, and it says nothing that the access log does not. */
const ofEveryRequest = 'Service selected by WRR';

/** Is the line worth keeping? */
export function isKept(line: string): boolean {
  return !line.includes(ofEveryRequest);
}

/** The lines of a run's folder that say something; none where no proxy of ours was part of the run. */
export async function* readProxyLog(folder: string): AsyncGenerator<ProxyLogLine> {
  for await (const lines of readProxyLogLines(folder)) yield* lines;
}

/** The same, many at a time: a promise for each takes longer than what is done with it. */
export async function* readProxyLogLines(folder: string): AsyncGenerator<ProxyLogLine[]> {
  const path = join(folder, runFiles.proxyLog);
  let number = 0;
  for await (const texts of existsSync(path) ? gzippedLines(path) : []) {
    yield texts.map((text) => parseProxyLogLine(text, ++number)).filter((line) => line !== null);
  }
}

/** How the log begins. */
export interface ProxyLogHead {
  /** Of the first line; NaN where it has no stamp. */
  readonly atWallUs: number;
  /** What the proxy says of its own version; null where it does not. */
  readonly version: string | null;
}

/** In so many lines a Traefik has said its version: it does in the first two or three. */
const headLines = 20;

/** The beginning of a run's log; null where the file is not there, or has no line. */
export async function readProxyLogHead(folder: string): Promise<ProxyLogHead | null> {
  const path = join(folder, runFiles.proxyLog);
  for await (const texts of existsSync(path) ? gzippedLines(path) : []) {
    const [first] = texts;
    if (first === undefined) continue;
    const versions = texts.slice(0, headLines).map((text) => /"version":"([^"]+)"/u.exec(text)?.[1]);
    return {
      atWallUs: wallUsOf(first.slice(0, first.indexOf(' '))),
      version: versions.find((version) => version !== undefined) ?? null,
    };
  }
  return null;
}

/** What a line says: `<RFC 3339 with nanoseconds> <JSON>`; null where it is about nothing that is read here. */
export function parseProxyLogLine(text: string, line: number): ProxyLogLine | null {
  const space = text.indexOf(' ');
  const atWallUs = wallUsOf(text.slice(0, space));
  if (Number.isNaN(atWallUs) || text[space + 1] !== '{') return null;
  const said = saidBy(text.slice(space + 1));
  return said === null ? null : { line, atWallUs, ...said };
}

/** The line that was read last: in one second of an outage a proxy says the same a thousand times. */
const last: { json: string; said: Said | null } = { json: '', said: null };

function saidBy(json: string): Said | null {
  if (json !== last.json) {
    last.said = parseSaid(json);
    last.json = json;
  }
  return last.said;
}

function parseSaid(json: string): Said | null {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(json) as Record<string, unknown>;
  } catch {
    // The engine cuts a line above 16 KiB into several: none that is read here is as long.
    return null;
  }
  const word = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const message = word('message');
  const error = word('error');
  const status = /^(4\d\d|5\d\d) /u.exec(message)?.[1];
  if (status !== undefined) {
    return { kind: 'failed-try', status: Number(status), failure: failureOf(error), error };
  }
  if (message.startsWith('New attempt ')) return { kind: 'another-try' };
  const state = /^Setting status of (\S+) to (UP|DOWN)$/u.exec(message);
  if (state !== null) {
    const [, server = '', to] = state;
    return { kind: 'check', service: word('serviceName'), server, up: to === 'UP' };
  }
  if (message === 'Health check failed.') {
    return { kind: 'check-failed', service: word('serviceName'), error };
  }
  return null;
}

const ended =
  /connection reset|EOF|broken pipe|server closed idle connection|connection broken|use of closed network connection/u;

/** By the words of Go's net and net/http packages. */
function failureOf(error: string): FailureKind {
  if (error.includes('connection refused')) return 'refused';
  // The last is what its writer meets when its reader has already seen the backend close, and closed too.
  if (ended.test(error)) return 'reset';
  if (/timeout|deadline exceeded/iu.test(error)) return 'timeout';
  if (error.includes('context canceled')) return 'cancelled';
  return 'other';
}
