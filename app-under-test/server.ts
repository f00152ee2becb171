/** The public port: notes to read and write, and a page that is slow on purpose. */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityHeaders, isRead, noSuchPath, problem, send, splitUrl, wrongMethod, type Answer } from './answer.ts';
import { readBody } from './body.ts';
import { monotonicUs } from './clock.ts';
import { trackConnections } from './connections.ts';
import { olderIdentity, type Spoiling } from './fault.ts';
import type { Identity, Log } from './log.ts';
import { parseNote } from './note.ts';
import { StoreError, type Store } from './store.ts';

/** What the public server needs. */
export interface PublicServerParts {
  readonly identity: Identity;
  readonly log: Log;
  readonly store: Pick<Store, 'read' | 'write'>;
  readonly keepAliveTimeoutMs: number;
  /** A planted fault: every answer comes late. */
  readonly isSlow?: boolean;
  /** A planted fault: how the answer to this request is spoilt. */
  readonly spoil?: ((method: string, path: string) => Spoiling | null) | undefined;
}

/** The public server, and what a drain needs of it. */
export type PublicServer = ReturnType<typeof createPublicServer>;

/** Node ends a kept connection this long after the timeout it announces, so that the client's own timer is first. */
const keepAliveBufferMs = 1000;

/** Of the planted faults. */
const stallMs = 2_000;
const slowMs = 450;
const anotherBody = { id: 'another', text: 'not what was asked for' };

/** How long `/slow`, or a write, may be asked to take. */
const longestMs = 60_000;
const rangeOfMs = `must be a whole number from 0 to ${longestMs}.`;

/** NaN where the text is no number of milliseconds that may be asked for. */
function milliseconds(text: string): number {
  return /^\d{1,5}$/u.test(text) && Number(text) <= longestMs ? Number(text) : Number.NaN;
}

/** The public server, not yet listening. */
export function createPublicServer({
  identity,
  log,
  store: notes,
  keepAliveTimeoutMs,
  spoil,
  isSlow = false,
}: PublicServerParts) {
  const server = quietServer(keepAliveTimeoutMs);
  const connections = trackConnections(server, () => monotonicUs() / 1000);
  let last = false;

  server.on('request', (request, response) => {
    const line = {
      request: request.headers['x-request-id']?.toString() ?? null,
      method: request.method ?? '',
      path: request.url ?? '',
      receivedUs: monotonicUs(),
    };
    const spoiling = spoil?.(line.method, line.path) ?? null;
    if (spoiling === 'no-answer') {
      // Before anything is written down: nobody but the proxy is to know of it.
      request.socket.destroy();
      return;
    }
    const as = spoiling === 'old-version' ? olderIdentity(identity) : identity;
    let store: Answer['store'];
    let answeredUs: number | undefined;
    let bodyCrc32: number | undefined;
    response.on('finish', () => {
      const answered = { status: response.statusCode, answeredUs: answeredUs ?? monotonicUs(), bodyCrc32 };
      log.request({ ...line, ...answered, ...(store && { store }) }, as);
    });
    response.on('close', () => {
      if (response.writableFinished) return;
      const status = response.headersSent ? response.statusCode : null;
      log.request({ ...line, status, answeredUs: monotonicUs(), ...(store && { store }), outcome: 'cut' });
    });
    answerTo(request, response, notes).then(
      async (answer) => {
        store = answer.store;
        if (spoiling === 'stall') await sleep(stallMs);
        if (isSlow) await sleep(slowMs);
        answeredUs = monotonicUs();
        if (spoiling === 'cut-answer') cut(response, as, answer);
        else
          bodyCrc32 = send(response, as, last, spoiling === 'wrong-body' ? { ...answer, body: anotherBody } : answer);
      },
      (error: unknown) => {
        if (response.destroyed) return;
        answeredUs = monotonicUs();
        bodyCrc32 = send(response, identity, last, problem(500, 'INTERNAL', 'The site failed to answer.'));
        log.event('warning', { message: `${line.method} ${line.path}: ${String(error)}` });
      },
    );
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket, identity));

  return {
    server,
    connections,
    /** From now on each answer is its connection's last (`Connection: close`), those not yet sent included. */
    lastAnswers: (): void => {
      last = true;
    },
  };
}

/** A server that ends no connection before its keep-alive timeout, whatever was sent on it. */
function quietServer(keepAliveTimeoutMs: number): Server {
  // Node ends a connection that has not sent its headers in headersTimeout with a 408, even one that has sent nothing
  // at all. A proxy may keep such a connection in its pool (it dialled, and another one became free first) and write a
  // request on it any time later: it must live as long as any kept one. requestTimeout may not be shorter.
  const headersTimeout = Math.max(60_000, Math.ceil(keepAliveTimeoutMs) + keepAliveBufferMs + 10_000);
  return createServer({
    keepAliveTimeout: Math.ceil(keepAliveTimeoutMs),
    keepAliveTimeoutBuffer: keepAliveBufferMs,
    headersTimeout,
    requestTimeout: Math.max(300_000, headersTimeout),
    noDelay: true,
  });
}

/** Rejects only if the connection died, or on a mistake of ours. */
async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  store: PublicServerParts['store'],
): Promise<Answer> {
  const { path, query } = splitUrl(request.url);
  // Read first, whatever the answer: closing a connection with unread bytes resets it, and may destroy the answer.
  const body = await readBody(request);
  if (body === 'too-large') return problem(413, 'TOO_LARGE', 'The body is larger than 64 KiB.');

  if (path === '/livez') return isRead(request) ? { status: 200, body: { status: 'alive' } } : wrongMethod('GET');
  if (path === '/slow') return isRead(request) ? await slow(query.get('ms'), response) : wrongMethod('GET');
  if (path === '/notes')
    return request.method === 'POST' ? await writeNote(body, query.get('hold'), store) : wrongMethod('POST');
  if (path.startsWith('/notes/')) {
    return isRead(request) ? await readNote(path.slice('/notes/'.length), store) : wrongMethod('GET');
  }
  return noSuchPath;
}

function cut(response: ServerResponse, identity: Identity, { status, body }: Answer): void {
  const content = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { ...identityHeaders(identity), 'Content-Length': content.length });
  response.write(content.subarray(0, content.length / 2), () => response.socket?.resetAndDestroy());
}

async function slow(text: string | null, response: ServerResponse): Promise<Answer> {
  const ms = milliseconds(text ?? '');
  if (Number.isNaN(ms)) return problem(400, 'BAD_REQUEST', `ms ${rangeOfMs}`);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal });
  return { status: 200, body: { sleptMs: ms } };
}

async function readNote(encodedId: string, store: PublicServerParts['store']): Promise<Answer> {
  let id: string;
  try {
    id = decodeURIComponent(encodedId);
  } catch {
    return problem(400, 'BAD_REQUEST', 'The id in the path is not valid percent-encoding.');
  }
  return await fromStore(async () => {
    const note = await store.read(id);
    return note ? { status: 200, body: note } : problem(404, 'NOT_FOUND', 'There is no note with this id.');
  });
}

/** `?hold=N` makes it a long transaction, of N ms. */
async function writeNote(body: Buffer, hold: string | null, store: PublicServerParts['store']): Promise<Answer> {
  const note = parseNote(body.toString('utf8'));
  if (typeof note === 'string') return problem(400, 'BAD_REQUEST', note);
  const holdMs = hold === null ? undefined : milliseconds(hold);
  if (Number.isNaN(holdMs)) return problem(400, 'BAD_REQUEST', `hold ${rangeOfMs}`);
  return await fromStore(async () => {
    const { waitMs } = await store.write(note, holdMs);
    return { status: 201, body: note, store: { waitMs, code: 'OK' } };
  });
}

/** Busy is 503, since the write was not applied and may be tried again; any other failure of the store is 500. */
async function fromStore(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { code, message, waitMs } = error;
    const answer = problem(code === 'SQLITE_BUSY' ? 503 : 500, code, `The store refused: ${message}.`);
    return waitMs === undefined ? answer : { ...answer, store: { waitMs, code } };
  }
}

/** Node's own answer to what is no HTTP, but with the headers that every answer of this site carries. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex, identity: Identity): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const headers = { ...identityHeaders(identity), Connection: 'close', 'Content-Length': '0' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`);
}
