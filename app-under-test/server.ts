/** The site over HTTP: notes and /livez on the public port, the health signals on the internal one. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { monotonicUs } from './clock.ts';
import type { Identity, Log } from './log.ts';
import { StoreError, type Store } from './store.ts';
import type { Note } from './store-messages.ts';

/** What the site says of its own state; written by main and drain, read at every answer. */
export interface State {
  /** Warm, and no SIGTERM yet. */
  ready: boolean;
  /** From the end of the grace period on: every answer ends its connection. */
  closing: boolean;
}

const maxBodyBytes = 64 * 1024;
const maxSleepMs = 60_000;

/** Thrown by a handler: becomes the answer. */
class HttpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What both ports are made with. */
export interface ServerParts {
  readonly store: Store;
  readonly state: State;
  readonly identity: Identity;
  readonly log: Log;
  readonly keepAliveTimeoutMs: number;
}

/** The public port's server: not listening yet. */
export function createPublicServer({ store, state, identity, log, keepAliveTimeoutMs }: ServerParts): Server {
  const server = createServer({ noDelay: true }, (request, response) => {
    const receivedUs = monotonicUs();
    nameInstance(response, identity);
    if (state.closing) response.setHeader('Connection', 'close');
    response.on('close', () =>
      log.request({
        request: headerText(request, 'x-request-id'),
        method: request.method ?? '',
        path: request.url ?? '',
        status: response.headersSent ? response.statusCode : null,
        receivedUs,
        answeredUs: monotonicUs(),
        ...(!response.writableFinished && { outcome: 'cut' as const }),
      }),
    );
    answer(store, request, response).catch((error: unknown) => fail(response, error));
  });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  // Node adds its own slack to the announced timeout; a client that believes the header is never met by a closed door.
  server.keepAliveTimeoutBuffer = 1_000;
  // A proxy dials ahead of its next request: a connection that is silent at first is an idle one.
  server.headersTimeout = keepAliveTimeoutMs + 1_000;
  server.requestTimeout = 0;
  return server;
}

/** The internal port's server: not listening yet. Its answers depend on nothing but the main thread and the state. */
export function createInternalServer({ state, identity }: Pick<ServerParts, 'state' | 'identity'>): Server {
  return createServer({ noDelay: true }, (request, response) => {
    nameInstance(response, identity);
    const { pathname } = new URL(request.url ?? '/', 'http://internal');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendJson(response, 405, { error: 'METHOD_NOT_ALLOWED', message: 'only GET' });
    } else if (pathname === '/livez') {
      sendJson(response, 200, { status: 'alive' });
    } else if (pathname === '/readyz' || pathname === '/healthz') {
      sendJson(response, state.ready ? 200 : 503, { status: state.ready ? 'ready' : 'not ready' });
    } else {
      sendJson(response, 404, { error: 'NOT_FOUND', message: `no ${pathname} here` });
    }
  });
}

/** Makes the answers that are not yet begun end their connection too. */
export function closeAfterAnswer(responses: Iterable<ServerResponse>): void {
  for (const response of responses) if (!response.headersSent) response.setHeader('Connection', 'close');
}

async function answer(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://site');
  const path = url.pathname;
  if (path === '/livez') {
    requireMethod(request, 'GET');
    sendJson(response, 200, { status: 'alive' });
    return;
  }
  if (path === '/slow') {
    requireMethod(request, 'GET');
    const text = url.searchParams.get('ms') ?? '';
    const ms = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
    if (!(ms <= maxSleepMs))
      throw new HttpError(400, 'BAD_REQUEST', `ms must be a whole number from 0 to ${maxSleepMs}`);
    setTimeout(() => sendJson(response, 200, { sleptMs: ms }), ms);
    return;
  }
  if (path === '/notes') {
    requireMethod(request, 'POST');
    const note = readNote(await readBody(request));
    await store.write(note);
    sendJson(response, 201, note);
    return;
  }
  const id = /^\/notes\/([^/]+)$/u.exec(path)?.[1];
  if (id === undefined) throw new HttpError(404, 'NOT_FOUND', `no ${path} here`);
  requireMethod(request, 'GET');
  const note = await store.read(decodeURIComponent(id));
  if (note === undefined) throw new HttpError(404, 'NOT_FOUND', 'no note has this id');
  sendJson(response, 200, note);
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
  } else if (error instanceof HttpError) {
    sendJson(response, error.status, { error: error.code, message: error.message });
  } else if (error instanceof StoreError) {
    sendJson(response, error.code === 'SQLITE_BUSY' ? 503 : 500, { error: error.code, message: error.message });
  } else if (error instanceof URIError) {
    sendJson(response, 400, { error: 'BAD_REQUEST', message: 'the path is not well encoded' });
  } else {
    sendJson(response, 500, { error: 'INTERNAL', message: String(error) });
  }
}

function requireMethod(request: IncomingMessage, method: string): void {
  if (request.method !== method) throw new HttpError(405, 'METHOD_NOT_ALLOWED', `only ${method}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > maxBodyBytes) throw new HttpError(413, 'TOO_LARGE', `a note is at most ${maxBodyBytes} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function readNote(body: string): Note {
  let note: unknown;
  try {
    note = JSON.parse(body);
  } catch {
    throw new HttpError(400, 'BAD_REQUEST', 'the body is not JSON');
  }
  const { id, text } = (typeof note === 'object' && note !== null ? note : {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '' || id.length > 200 || typeof text !== 'string') {
    throw new HttpError(400, 'BAD_REQUEST', 'a note is {"id": 1 to 200 characters, "text": text}');
  }
  return { id, text };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function nameInstance(response: ServerResponse, { version, instance }: Identity): void {
  response.setHeader('X-App-Version', version);
  response.setHeader('X-App-Instance', instance);
}

function headerText(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' ? value : null;
}
